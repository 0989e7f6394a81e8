# cp, mv, touch, du and rm.
mkdir /tmp/cp; cd /tmp/cp
echo content >a; cp a b; cat b; cp b ./c; mkdir d; cp a b d; ls d
mkdir d/deep; ln -s ../a d/link; echo x >d/deep/f; cp -r d copy; ls copy; ls copy/deep; cat copy/deep/f
cp -r d copy; ls copy
echo == mistakes of cp
cp d e; echo $?; cp a a; echo $?; cp -r d d/inside; echo $?; ls d; cp none x; echo $?; cp a b none; echo $?
cp a /no/where; echo $?; cp; echo $?; cp a b a; echo $?; cp -r d a; echo $?
echo == mv
mv a moved; cat moved; ls a; mv moved b d; ls d
mkdir e; mv e d; ls d/e; mv d/e d/deep; ls d/deep
mv d d/inside; echo $?; mv none x; echo $?; mv c d; mv -n d/c d/moved; cat d/c
mkdir full empty; echo >full/f; mv empty full; ls full; mkdir empty; mv -f full/empty .; echo $?
echo >file; mv file full; ls full; mv full/f full/file; ls full
echo == touch
touch -d 1000 t; echo >new; [ new -nt t ] && echo older; touch -r t same; [ same -nt t ] || [ t -nt same ] || echo same
touch -c none; [ -e none ] || echo none made; touch t; [ t -nt same ] && echo newer
touch -d 5 keep; echo data >>keep; touch -d 7 keep; cat keep; touch /no/where; echo $?
echo == cp -p
touch -d 2000 old; cp -p old kept; [ kept -nt old ] || [ old -nt kept ] || echo kept; cp old fresh; [ fresh -nt old ] && echo fresh
echo == du
mkdir u; head -c 5000 /dev/zero >u/f; ln u/f u/g; mkdir u/in; head -c 100 /dev/zero >u/in/h
du -b u/f; du -b u/in/h; du -sb u/f u/g; du none; echo $?; [ $(du -s u | wc | head -c 1) = 1 ] && echo one line
du -a u | wc | head -c 3; echo
echo == rm
rm none; echo $?; rm -f none; echo $?; rm; echo $?; rm u; echo $?; rm -r u; ls u
echo == ls and chmod
mkdir l l/in; echo 12345 >l/f; ln -s f l/link; touch -d 86461 l/f l/in; echo >l/.hidden; ln l/f l/.other
ls l; ls -a l; ls -d l; ls -R l; ls l/f l; ls -l l/f l/in; ls -lh l/f; ls -l l/link | tail -c 10; ls -l /dev/null | head -c 10; echo
ls -i l/f | { read inode name; [ $inode -gt 0 ] && echo $name; }; ls none l/f; echo $?; ls -Q; echo $?
chmod 600 l/f; ls -l l/f | head -c 10; echo; chmod u+x,go=r l/f; ls -l l/f | head -c 10; echo; chmod -R a-r l; ls -ld l l/f l/in | head -c 10; echo; chmod -R a+rX l; ls -l l/f | head -c 10; echo
chmod; echo $?; chmod 9 l; echo $?; chmod u+q l; echo $?; chmod 644 none; echo $?
echo == date
[ $(date +%s) -gt 0 ] && echo seconds; [ $(date +%Y) -ge 1970 ] && echo year; date +%Q; echo $?; date now; echo $?; date | { read a b c d utc e; echo $utc; }
cd /; rm -rf /tmp/cp

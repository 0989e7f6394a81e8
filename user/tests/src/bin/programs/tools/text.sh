# head, tail, sort, uniq, tee and xargs.
mkdir /tmp/text; cd /tmp/text
i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo line $i; done >lines
head lines | wc; head -n 2 lines; head -3 lines | tail -n 1; head -c 9 lines; head -n 0 lines
tail -n 2 lines; tail -1 lines; tail -n +19 lines; tail -c 5 lines; tail -n 0 lines
printf 'no end' | tail -n 1; echo; printf 'a\nb' | head -n 5; echo
head -n 1 lines lines
sort <<END
b
a
C
a

END
echo == numbers; printf '10\n9\n-1\n9\n' | sort -n; printf '10\n9\n-1\n9\n' | sort -rnu
echo == keys; printf 'x 2\ny 1\nz 2\n' | sort -k 2n -k 1r; printf 'a:3\nb:1\n' | sort -t : -k 2
printf 'a\nb\n' | sort -c && echo sorted; printf 'b\na\n' | sort -c; echo $?
printf 'b\na\n' >s; sort -o s s; cat s
echo == uniq; printf 'a\na\nb\nA\na\n' >u; uniq u; uniq -c u; uniq -d u; uniq -u u; uniq -i u
sort u | uniq -c | sort -rn | head -n 1
echo == tee; echo tee | tee t1 t2; cat t1 t2; echo more | tee -a t1 >t3; cat t1 t3
echo == xargs
echo 'a "b c" d' | xargs; echo 1 2 3 4 5 | xargs -n 2 echo go
printf 'x y\nz\n' | xargs -I % echo '<%>' %%; printf 'a b\0c' | xargs -0 -n 1 echo
xargs echo none </dev/null; xargs -r echo none </dev/null
echo 1 2 | xargs -n 1 false; echo $?; echo 1 | xargs /no/such; echo $?
echo == wc; printf 'a b\nc\nd' >w; wc w; wc -l w; wc -cw w u; wc -l <w; wc -w - <w
cd /; rm -r /tmp/text

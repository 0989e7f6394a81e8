# Names that patterns match.
mkdir /tmp/globs; cd /tmp/globs
mkdir sub; echo >a1; echo >a2; echo >b1; echo >.hidden; echo >sub/c1; echo >'with blank'
echo *
echo a* ?1 [ab]1 [!a]1
echo .h* */* sub/c? ./a*
echo none* "a*" a\* 'b'?
for f in *; do echo "<$f>"; done
x='a*'; echo $x "$x"
set -f; echo *; set +f
echo /tmp/glo?s/[b]*
cd /; rm -r /tmp/globs

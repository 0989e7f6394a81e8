# The commands of the shell itself.
cd /tmp; pwd; cd /; cd - ; cd /; pwd
eval 'a=1;' 'echo $a'
echo 'b=2; echo sourced $b; return 3; echo never' >/tmp/source.sh
. /tmp/source.sh; echo $? $b; rm /tmp/source.sh
printf '%s-%d %5.1s|%x\n' a 7 xyz 255
[ -d /tmp ] && [ ! -f /tmp ] && [ -n x ] && [ 3 -gt 2 -a a = a ] && echo tested
test -e /no; echo $?
[ 1 -eq x ] 2>/dev/null; echo $?
echo 'a b\
c d' | { read x y; echo "$y|$x"; }
printf 'x:y:z' | { IFS=: read a b; echo $? $a $b; }
umask 077; umask; umask 022
set -e; if false; then :; fi; false || echo guarded; (false; echo never); echo never

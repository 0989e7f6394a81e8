# Variables, parameters, quoting, substitution, arithmetic.
a=1 b='x  y' c=
echo $a $b "$b" "$c" ${c:-empty} ${c-set} ${d-unset} ${d:=now} $d ${a:+plus}
echo "${#b}" ${#}
f=dir/sub/file.tar.gz
echo ${f##*/} ${f#*/} ${f%.*} ${f%%.*}
echo 'single $a' "double $a" \$a "\$a" "`echo back`" "$(echo "in (parens)")"
echo $((2 + 3 * 4)) $(( (2 + 3) * 4 )) $((a + 1)) $((7 % 4)) $((1 << 4)) $((a == 1 ? 5 : 6))
n=5; : $((n += 2)); echo $n
set -- one 'two three' ''
echo $# "$1" "$2" "<$3>"
for x in "$@"; do echo "@ $x"; done
for x in $@; do echo "bare $x"; done
for x in "$*"; do echo "* $x"; done
IFS=:; p=/bin:/usr:; for x in $p; do echo "<$x>"; done; unset IFS
shift 2; echo $#
set -- $(echo a b; echo c); echo $# $3
echo "$(printf 'end\n\n\n')|"
HOME=/home; echo ~ ~/x '~' a~
x=5; x=6 eval 'echo $x'; y=7 /bin/sh -c 'echo $y'; echo ${y-gone}
export z=8; /bin/sh -c 'echo $z $0 $1' name arg
(unset nothing; : ${nothing?message}; echo never) 2>/dev/null; echo $?
(set -u; echo $nothing; echo never) 2>/dev/null; echo $?
readonly r=1; (r=2; echo never) 2>/dev/null; echo $?
echo a\
b "c\
d"

# if, while, until, for, case, functions.
if false; then echo no; elif true; then echo elif; else echo no; fi
if false; then :; fi; echo none $?
i=0
while [ $i -lt 10 ]; do
    i=$((i + 1))
    [ $i = 2 ] && continue
    [ $i = 5 ] && break
    echo $i
done
until [ $i = 7 ]; do i=$((i+1)); done; echo $i
for x in a 'b c' "d"; do echo "<$x>"; done
set -- p 'q r'
for x; do echo "[$x]"; done
for x in; do echo never; done; echo $?
for x in 1 2; do for y in 1 2; do [ $y = 2 ] && continue 2; echo $x$y; done; done
for x in 1 2; do for y in 1 2; do break 2; done; done; echo $x$y
case abc in x|a*) echo star;; *) echo no;; esac
case 'a*' in 'a*') echo quoted;; esac
case abc in 'a*') echo no;; [a-c]?c) echo class;; esac
case x in (y) echo no;; esac; echo $?
greet() { echo "hello $1, $#"; return 4; }
greet world 2; echo $?
echo "still $1"
count() { [ $1 -gt 0 ] && { echo $1; count $(($1 - 1)); }; }
count 3
scope() { local v=inner; echo $v; }
v=outer; scope; echo $v
true() { echo mine; }; true; unset -f true; true; echo $?
redirected() { echo hidden; } >/dev/null
redirected; echo done

# Files, descriptors and here-documents.
mkdir /tmp/redirect; cd /tmp/redirect
echo one >f; echo two >>f; cat <f
cat <<END
here $((1 + 1))
	tab
END
cat <<'END'
raw $((1 + 1)) `x`
END
cat <<-END
	stripped
	END
{ echo out; echo err >&2; } 2>&1 >/dev/null
{ echo out; echo err >&2; } >both 2>&1; cat both
exec 3>three; echo via three >&3; exec 3>&-; cat three
exec 4<three; read line <&4; echo "got $line"; exec 4<&-
while read a b; do echo "$b-$a"; done <<END
1 2 3
4 5
END
echo long | while read x; do echo "in pipe $x"; done
>empty; wc empty
if true; then echo compound; fi >c; cat c
(echo nowhere >/no/such/file) 2>/dev/null; echo $?
cat </no/such/file 2>/dev/null || echo failed
i=0; while [ $i -lt 1000 ]; do echo "line $i of a long document"; i=$((i+1)); done >big
x=$(cat big); cat <<END | wc
$x
END
cd /; rm -r /tmp/redirect

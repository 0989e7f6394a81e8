# How scripts and programs end, and what is said.
sh -c 'exit 5'; echo $?
sh -c 'trap "echo bye" EXIT; echo hi; exit 2'; echo $?
nothing-of-this-name 2>/dev/null; echo $?
/tmp 2>/dev/null; echo $?
(sh -c 'kill -9 $$'; echo $?) 2>/dev/null
sh -c 'echo before; if' 2>/dev/null; echo $?
sh -c 'break; echo outside'
sh -c 'set -e; false; echo never'; echo $?
sh -c 'exit $(echo 9)'; echo $?
sh /no/such/script 2>/dev/null; echo $?
echo 'echo script $0 $1; exit 6' >/tmp/s.sh; sh /tmp/s.sh x; echo $?
echo 'echo from input' | sh
trap '' INT; sh -c 'kill -INT $$; echo immune'; trap - INT
f() { return 8; }; f; echo $?
rm /tmp/s.sh

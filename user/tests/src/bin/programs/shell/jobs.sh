# Background and wait, without a terminal.
sleep 0 & wait $!; echo $?
(exit 3) & wait $!; echo $?
sh -c 'kill -TERM $$' & wait $! 2>/dev/null; echo $?
sleep 1000 & kill $!; wait $!; echo $?
sleep 1000 & kill -9 %1; wait %1; echo $?
sleep 1000 | sleep 1000 & kill %1; wait %1; echo $?
wait 999999; echo $?
cat & wait; echo input is empty
(echo one >/dev/null) & wait; echo two
kill -0 $$; echo $?
kill -NOSUCH 1 2>/dev/null || echo refused

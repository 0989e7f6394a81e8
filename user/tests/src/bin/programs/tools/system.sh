# df, free, mount, sync, time, top.
df | head -n 1; df / | tail -n +2 | wc | head -c 2; echo; df -h >/dev/null && df -i / >/dev/null && echo shown
df /none; echo $?
free | head -n 1; free -h | tail -n 1 | head -c 7; echo; free x 2>/dev/null; echo $?
mkdir /tmp/mnt
mount -t tmpfs none /tmp/mnt && echo in it >/tmp/mnt/f && cat /tmp/mnt/f && cp /tmp/mnt/f /tmp/f && mv /tmp/f /tmp/mnt/g
echo across >/tmp/h; mv /tmp/h /tmp/mnt && ls /tmp/mnt /tmp/h
mkdir /tmp/tree; echo t >/tmp/tree/t; mv /tmp/tree /tmp/mnt && cat /tmp/mnt/tree/t && ls /tmp/tree
sync; sync /tmp/mnt/f; echo $?; sync /none; echo $?
umount /tmp/mnt; echo $?; ls /tmp/mnt; umount /tmp/mnt; echo $?
mount -t ext9 /dev/null /tmp/mnt; echo $?; mount -t ext4 /dev/null /tmp/mnt; echo $?; mount -o wrong a b; echo $?; mount one; echo $?
mount | wc | head -c 0 && echo listed
(time true) 2>&1 | while read name time; do echo $name; done; (time false) 2>/dev/null; echo $?; time /none 2>&1 | head -n 1; time /none 2>/dev/null; echo $?
top -b -n 1 | head -n 1 | head -c 3; echo; top -b -n 1 | tail -n +2 | head -n 1 | head -c 4; echo
top -b -n 2 -d 0 >/dev/null; echo $?; top -b -n 1 </dev/null >/tmp/top; wc </tmp/top | { read lines rest; [ $lines -gt 3 ] && echo threads; }
rm -r /tmp/mnt /tmp/top
echo ~ $TERM

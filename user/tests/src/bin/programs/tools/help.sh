# Each program says how it is used, and refuses what it does not know.
for program in cp mv rm touch head tail sort uniq tee xargs sync free df du mount umount time top ls chmod date wc; do
    $program --help >/tmp/help || echo "$program: no help"
    head -c 7 /tmp/help | { read word; [ "$word" = usage: ] || echo "$program: $word"; }
    $program -Q 2>/tmp/help </dev/null && echo "$program takes -Q"
    head -n 1 /tmp/help
done
rm /tmp/help

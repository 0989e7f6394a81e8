# Run by BusyBox's shell, with its own tools. Prints nothing that changes.
set -e
for tool in awk cat chmod cp find grep gunzip gzip ln ls md5sum mkdir mv readlink rm sed sort tar tr wc xargs; do
    ln -s /host/busybox /tmp/$tool 2>/dev/null || /host/busybox ln -s /host/busybox /tmp/$tool
done
PATH=/tmp
mkdir -p /work/deep/er
cd /work
echo one >a
printf 'pear 3\napple 10\nfig 2\n' >fruit
chmod 640 a
ls -l | awk 'NR > 1 { print $1, $2, $5, $NF }'
sort fruit
sort -k2n fruit | awk '{ sum += $2; print sum, $1 }'
find . -name 'er' -o -name 'fruit' | sort
i=0; while [ $i -lt 500 ]; do echo "line $i"; i=$((i + 1)); done >deep/er/lines
tar czf t.tgz a fruit deep
tar tzf t.tgz
mkdir copy
tar xzf t.tgz -C copy
find copy -type f | sort | xargs cat | md5sum
cat copy/a copy/deep/er/lines copy/fruit | md5sum
cp -r copy again && rm -r copy && mv again copy
ln -s copy/a link
readlink link
grep -c 'line 4' copy/deep/er/lines
sed 's/o/0/g' a
for n in 1 2 3; do (echo "child $n" >out.$n) & done
wait
cat out.1 out.2 out.3
trap 'echo caught' USR1
kill -USR1 $$
case $(echo Mixed | tr a-z A-Z) in MIXED) echo "case works";; esac
/host/busybox vi -c '%s/p/P/g' -c wq fruit </dev/null >/dev/null
cat fruit

# What bash does beyond a shell of POSIX: arrays, process substitution, jobs, traps.
declare -A ages=([ann]=31 [bob]=27)
names=("${!ages[@]}")
echo "${#names[@]} names, $((ages[ann] + ages[bob])) years"
diff <(printf '%s\n' a b c) <(printf '%s\n' a x c)
mapfile -t lines < <(seq 3)
echo "${lines[*]}" "${lines[@]: -1}"
for i in 1 2 3; do (exit "$i") & done
sum=0
for _ in 1 2 3; do wait -n; sum=$((sum + $?)); done
echo "sum of codes $sum"
trap 'echo caught USR1' USR1
kill -USR1 $$
(trap 'echo end of the subshell' EXIT; echo in the subshell)
coproc CAT { cat; }
echo through the coprocess >&"${CAT[1]}"
read -r line <&"${CAT[0]}"
echo "$line"
exec {CAT[1]}>&-
wait "$CAT_PID"
echo "coprocess $?"
set -o pipefail
false | true
echo "pipe $?"
for ((i = 0; i < 200; i++)); do echo "$i"; done | while read -r n; do ((total += n)); done
for ((i = 0; i < 200; i++)); do ((total += i)); done
echo "total $total"
cat <<<"here string"
[[ abc =~ ^a(.)c$ ]] && echo "middle ${BASH_REMATCH[1]}"
{ printf '%q\n' "it's" >/dev/fd/2; } 2>&1 | cat
wc -c < <(head -c 300000 /dev/zero)
read -r -t 0.05 never < <(sleep 5) || echo "read timed out: $(($? > 128))"

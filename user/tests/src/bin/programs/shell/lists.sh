# && and ||, !, pipes, subshells and groups.
true && echo and
false || echo or
false && echo never || echo second
true || echo never && echo third
! false && echo not
! true || echo status $?
false | true && echo last counts
true | false || echo last fails
echo a b c | tr=x cat
(echo in; x=inner; exit 3) ; echo $? ${x-unset}
{ echo group; x=outer; }; echo $x
echo one; echo two & wait
(cd /; pwd); (exit 7) || echo $?
echo deep | (cat | { cat; echo under; })
seq=; for i in 1 2 3; do seq=$seq$i; done; echo $seq

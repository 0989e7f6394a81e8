# A database in both of its modes, and four processes that write to it at once.
database=$1/sqlite-test.db
rm -f "$database" "$database"-*
sql() { sqlite3 -batch -cmd '.timeout 60000' "$database" "$@"; }
for mode in delete wal; do
    sql "pragma journal_mode=$mode; drop table if exists t; create table t(writer, n); create index i on t(n);"
    for writer in 1 2 3 4; do
        { for n in 1 2 3 4 5; do echo "begin immediate; insert into t values($writer, $n); insert into t values($writer, -$n); commit;"; done; } | sql &
    done
    wait
    sql "select count(*), sum(n), count(distinct writer) from t; pragma integrity_check;"
done
sql "with recursive c(x) as (select 1 union all select x+1 from c where x < 1000) insert into t select 9, x from c;
     select sum(n), max(n) from t where writer = 9; begin; delete from t; rollback; select count(*) from t; vacuum; select count(*) from t;"
sql "insert into nowhere values(1)" 2>&1 | sed 's/.*no such table/no such table/'
rm -f "$database" "$database"-*

"""Threads, processes, sub-programs, asyncio, mmap and sqlite3 in one run."""
import asyncio, ctypes, json, mmap, multiprocessing, os, queue, select, signal, socket, sqlite3
import subprocess, sys, tempfile, threading, time
from concurrent.futures import ThreadPoolExecutor


def square(x):
    return x * x


def threads():
    q, seen, lock = queue.Queue(maxsize=10), [], threading.Lock()

    def take():
        while (item := q.get()) is not None:
            with lock:
                seen.append(item)

    takers = [threading.Thread(target=take) for _ in range(4)]
    for t in takers:
        t.start()
    for i in range(2000):
        q.put(i)
    for t in takers:
        q.put(None)
    for t in takers:
        t.join()
    print("threads", len(seen), sum(seen))
    with ThreadPoolExecutor(4) as pool:
        print("pool", sum(pool.map(square, range(100))))


def processes():
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print("forked", sum(pool.map(square, range(1000))))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print("spawned", sum(pool.map(square, range(100))))
    run = subprocess.run(["/bin/sh", "-c", "cat; echo to the error >&2; exit 3"], input=b"in and out", capture_output=True)
    print("run", run.returncode, run.stdout, run.stderr)
    with subprocess.Popen(["/bin/sleep", "100"]) as sleeper:
        sleeper.terminate()
        print("terminated", sleeper.wait())


async def tasks():
    async def late(n):
        await asyncio.sleep(0.005 * (5 - n))
        return n

    print("gathered", await asyncio.gather(*(late(n) for n in range(5))))
    child = await asyncio.create_subprocess_exec("/bin/echo", "from a child", stdout=subprocess.PIPE)
    print("child", (await child.communicate())[0], child.returncode)

    async def serve(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "socket")
        async with await asyncio.start_unix_server(serve, path):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"to a server\n")
            print("served", await reader.readline())
            writer.close()
    try:
        await asyncio.wait_for(asyncio.sleep(100), 0.01)
    except asyncio.TimeoutError:
        print("timed out")


def memory():
    with tempfile.TemporaryFile() as file:
        file.truncate(1 << 20)
        with mmap.mmap(file.fileno(), 1 << 20) as shared:
            if os.fork() == 0:
                shared[12345] = 77
                os._exit(0)
            os.wait()
            print("shared", shared[12345])
        print("written", os.pread(file.fileno(), 1, 12345))


def signals():
    caught = []
    signal.signal(signal.SIGALRM, lambda *_: caught.append("alarm"))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    signal.pause()
    a, b = socket.socketpair()
    poller = select.epoll()
    poller.register(b, select.EPOLLIN)
    a.send(b"x")
    print("signals", caught, [events for _, events in poller.poll()])


def database():
    with sqlite3.connect(":memory:") as c:
        c.execute("create table t(a, b)")
        c.executemany("insert into t values(?, ?)", ((i, str(i)) for i in range(1000)))
        print("database", c.execute("select sum(a), group_concat(b) from t where a < 5").fetchone())


if __name__ == "__main__":
    threads()
    processes()
    asyncio.run(tasks())
    memory()
    signals()
    database()
    print(json.dumps({"libc": bool(ctypes.CDLL(None).getpid()), "platform": sys.platform}))

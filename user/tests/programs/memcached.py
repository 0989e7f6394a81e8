"""A client of memcached, over a socket in the file system."""
import socket, subprocess, threading, time

server = subprocess.Popen(["/usr/bin/memcached", "-u", "root", "-s", "/tmp/memcached.sock", "-t", "4"])


def connect():
    while True:
        try:
            s = socket.socket(socket.AF_UNIX)
            s.connect("/tmp/memcached.sock")
            return s.makefile("rwb", buffering=0)
        except OSError:
            s.close()
            time.sleep(0.05)


def ask(file, request):
    file.write(request)
    return file.readline()


file = connect()
print(ask(file, b"set n 0 0 1\r\n0\r\n"))


def count():
    own = connect()
    for _ in range(100):
        ask(own, b"incr n 1\r\n")


clients = [threading.Thread(target=count) for _ in range(6)]
for client in clients:
    client.start()
for client in clients:
    client.join()
print(ask(file, b"get n\r\n"), file.readline(), file.readline())
big = b"x" * 500000
print(ask(file, b"set big 0 0 %d\r\n%b\r\n" % (len(big), big)))
server.terminate()
print(server.wait())

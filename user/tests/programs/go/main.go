// Goroutines, channels, timers, processes, signals and sockets in one run.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// Numbers go through a chain of goroutines that filter out multiples.
func sieve() {
	numbers := make(chan int)
	go func(out chan int) {
		for n := 2; ; n++ {
			out <- n
		}
	}(numbers)
	last := 0
	for i := 0; i < 60; i++ {
		prime := <-numbers
		last = prime
		next := make(chan int)
		go func(in, out chan int) {
			for n := range in {
				if n%prime != 0 {
					out <- n
				}
			}
		}(numbers, next)
		numbers = next
	}
	fmt.Println("prime", last)
}

func locks() {
	var group sync.WaitGroup
	var mutex sync.Mutex
	var count, atomically int64
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for j := 0; j < 1000; j++ {
				mutex.Lock()
				count++
				mutex.Unlock()
				atomic.AddInt64(&atomically, 1)
			}
		}()
	}
	group.Wait()
	fmt.Println("counted", count, atomically)
}

// One that never calls anything is pre-empted by a signal.
func preemption() {
	var stop int32
	for i := 0; i < 2*runtime.GOMAXPROCS(0); i++ {
		go func() {
			for n := 0; atomic.LoadInt32(&stop) == 0; n++ {
			}
		}()
	}
	time.Sleep(10 * time.Millisecond)
	runtime.GC()
	atomic.StoreInt32(&stop, 1)
	fmt.Println("preempted")
}

func timers() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	ticker := time.NewTicker(time.Millisecond)
	for i := 0; i < 5; i++ {
		<-ticker.C
	}
	ticker.Stop()
	fmt.Println("timers", ctx.Err())
}

func processes() {
	command := exec.Command("/bin/sh", "-c", "cat; exit 3")
	command.Stdin = bytes.NewBufferString("in and out")
	out, err := command.Output()
	fmt.Println("run", string(out), err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	fmt.Println("killed", exec.CommandContext(ctx, "/bin/sleep", "100").Run())
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGUSR1)
	check(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
	fmt.Println("caught", <-caught)
}

func sockets() {
	folder, err := os.MkdirTemp("", "threads")
	check(err)
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "socket")
	listener, err := net.Listen("unix", path)
	check(err)
	go func() {
		for {
			peer, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer peer.Close()
				line, _ := bufio.NewReader(peer).ReadString('\n')
				fmt.Fprintf(peer, "%d\n", len(line))
			}()
		}
	}()
	var group sync.WaitGroup
	var sum int64
	for i := 0; i < 40; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			peer, err := net.Dial("unix", path)
			check(err)
			defer peer.Close()
			fmt.Fprintln(peer, string(make([]byte, i)))
			var n int64
			_, err = fmt.Fscan(peer, &n)
			check(err)
			atomic.AddInt64(&sum, n)
		}(i)
	}
	group.Wait()
	check(listener.Close())
	fmt.Println("served", sum)
}

func memory() {
	keep := make([][]byte, 64)
	sum := 0
	for i := 0; i < 5000; i++ {
		keep[i%64] = make([]byte, 10000)
		keep[i%64][i%10000] = 1
		sum += int(keep[i%64][i%10000])
	}
	fmt.Println("allocated", sum)
}

func main() {
	sieve()
	locks()
	preemption()
	timers()
	processes()
	sockets()
	memory()
}

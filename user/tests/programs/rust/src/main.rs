//! Threads of the standard library, of rayon and of tokio in one run.

use std::collections::HashMap;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, RwLock};
use std::thread;
use std::time::Duration;

use rayon::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

fn standard() {
    let count = AtomicU64::new(0);
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                for _ in 0..10_000 {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    println!("scoped {}", count.into_inner());

    let turn = Arc::new((Mutex::new(0u32), Condvar::new()));
    let threads: Vec<_> = (0..4)
        .map(|own| {
            let turn = turn.clone();
            thread::spawn(move || {
                for _ in 0..250 {
                    let (lock, changed) = &*turn;
                    let mut now = changed
                        .wait_while(lock.lock().unwrap(), |now| *now % 4 != own)
                        .unwrap();
                    *now += 1;
                    changed.notify_all();
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    println!("turns {}", turn.0.lock().unwrap());

    let (sender, receiver) = mpsc::sync_channel(4);
    for own in 0..4u64 {
        let sender = sender.clone();
        thread::spawn(move || (0..500).for_each(|n| sender.send(own * 500 + n).unwrap()));
    }
    drop(sender);
    println!("received {}", receiver.iter().sum::<u64>());

    let map = RwLock::new(HashMap::new());
    thread::scope(|scope| {
        for own in 0..4 {
            let map = &map;
            scope.spawn(move || {
                for n in 0..500 {
                    *map.write().unwrap().entry(n).or_insert(0) += own;
                    let _ = map.read().unwrap().len();
                }
            });
        }
    });
    println!("mapped {}", map.into_inner().unwrap().values().sum::<i32>());
    let panicked = thread::Builder::new()
        .name("doomed".into())
        .spawn(|| std::panic::resume_unwind(Box::new("over")))
        .unwrap()
        .join();
    println!(
        "panicked {}",
        panicked.unwrap_err().downcast_ref::<&str>().unwrap()
    );
    let output = Command::new("/bin/sh")
        .args(["-c", "echo out; exit 4"])
        .output()
        .unwrap();
    println!(
        "run {:?} {:?}",
        output.status.code(),
        String::from_utf8(output.stdout).unwrap()
    );
}

fn stolen() {
    let sum: u64 = (0..1_000_000u64)
        .into_par_iter()
        .filter(|n| n % 3 == 0)
        .sum();
    let mut numbers: Vec<u32> = (0..200_000u32)
        .map(|n| n.wrapping_mul(2_654_435_761))
        .collect();
    numbers.par_sort_unstable();
    let sorted = numbers.windows(2).all(|pair| pair[0] <= pair[1]);
    fn fibonacci(n: u32) -> u64 {
        if n < 2 {
            return n.into();
        }
        let (a, b) = rayon::join(|| fibonacci(n - 1), || fibonacci(n - 2));
        a + b
    }
    println!("rayon {sum} {sorted} {}", fibonacci(20));
}

async fn tasks() {
    let handles: Vec<_> = (0..100u64)
        .map(|n| {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(n % 7)).await;
                tokio::task::yield_now().await;
                n
            })
        })
        .collect();
    let mut sum = 0;
    for handle in handles {
        sum += handle.await.unwrap();
    }
    let blocking = tokio::task::spawn_blocking(|| 6 * 7).await.unwrap();
    println!("tasks {sum} {blocking}");
    let late = tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>()).await;
    println!("late {}", late.is_err());

    let path = std::env::temp_dir().join(format!("threads-{}", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                while let Some(line) = lines.next_line().await.unwrap() {
                    write
                        .write_all(format!("{}\n", line.len()).as_bytes())
                        .await
                        .unwrap();
                }
            });
        }
    });
    let mut total = 0;
    let clients: Vec<_> = (0..30usize)
        .map(|n| {
            let path = path.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(UnixStream::connect(path).await.unwrap());
                let mut told = 0;
                for i in 0..10 {
                    stream
                        .write_all(format!("{}\n", "x".repeat(n + i)).as_bytes())
                        .await
                        .unwrap();
                    let mut line = String::new();
                    stream.read_line(&mut line).await.unwrap();
                    told += line.trim().parse::<usize>().unwrap();
                }
                told
            })
        })
        .collect();
    for client in clients {
        total += client.await.unwrap();
    }
    server.abort();
    std::fs::remove_file(&path).unwrap();
    println!("served {total}");
    let output = tokio::process::Command::new("/bin/echo")
        .arg("child")
        .output()
        .await
        .unwrap();
    println!("child {:?}", String::from_utf8(output.stdout).unwrap());
    let mut signals =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::user_defined1()).unwrap();
    let own = std::process::id().to_string();
    Command::new("/bin/sh")
        .args(["-c", &format!("kill -USR1 {own}")])
        .status()
        .unwrap();
    signals.recv().await.unwrap();
    println!("signal");
}

fn main() {
    standard();
    stolen();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap()
        .block_on(tasks());
}

//! Many of everything: nothing is lost for good.

use crate::shared::*;
use alloc::vec::Vec;
use weft::check::{Test, rounds, until};
use weft::process::Ended;
use weft::{Errno, check, process, tests};

pub const TESTS: &[Test] = tests![
    processes_with_unjoined_threads_return_all,
    many_processes_at_once,
    threads_that_make_processes_that_make_threads,
];

fn free() -> u64 {
    process::system().unwrap().freeram
}

/// Memory that caches may hold on to.
const SLACK: u64 = 3 << 20;

/// As in row 13 of the contract: 150 processes of ten threads each.
fn processes_with_unjoined_threads_return_all() {
    let one = || {
        let ended = check::in_child(|| {
            for i in 0..10 {
                let flags = if i % 2 == 0 { GROUP } else { SPACE };
                bare(flags, &|| ()).unwrap();
            }
        });
        assert_eq!(ended, Ended::Exited(0));
    };
    (0..20).for_each(|_| one());
    until(|| {
        check::list()
            .iter()
            .filter(|info| info.state != b'Z')
            .count()
            < 50
    });
    let (memory, threads) = (free(), check::list().len());
    (0..rounds(150, 3_000)).for_each(|_| one());
    // Those that share only the space may outlive their process a little.
    until(|| check::list().len() <= threads + 2);
    until(|| free() + SLACK >= memory);
}

fn many_processes_at_once() {
    let mut children = Vec::new();
    let (gate, open) = weft::file::pipe().unwrap();
    for _ in 0..rounds(100, 1_000) {
        let child = process::fork();
        match child {
            Ok(Some(child)) => children.push(child),
            Ok(None) => {
                weft::file::close(open).unwrap();
                let _ = weft::file::read(gate, &mut [0]);
                process::exit(21)
            }
            Err(error) => {
                assert!(matches!(error, Errno::EAGAIN | Errno::ENOMEM));
                break;
            }
        }
    }
    weft::file::close(open).unwrap();
    for _ in 0..children.len() {
        let (child, ended) = process::wait().unwrap();
        assert_eq!(ended, Ended::Exited(21));
        children.retain(|id| *id != child);
    }
    assert!(children.is_empty());
    assert_eq!(process::wait(), Err(Errno::ECHILD));
}

fn threads_that_make_processes_that_make_threads() {
    let body = || {
        for _ in 0..rounds(10, 200) {
            let child = check::start_child(|| {
                let peers: [_; 3] = core::array::from_fn(|_| bare(GROUP, &|| ()).unwrap());
                peers.into_iter().for_each(Bare::join);
            });
            assert_eq!(check::wait_for(child), Ended::Exited(0));
        }
    };
    let peers: [_; 4] = core::array::from_fn(|_| bare(GROUP, &body).unwrap());
    peers.into_iter().for_each(Bare::join);
}

//! What `/proc` tells of the system as a whole.

use abi::Errno;
use abi::memory::PAGE_SIZE;
use machine::{cpu, frames, time};

use super::setting::setting;
use super::{Entry, Listing, Subject, What, folder, link, links, locks, text};
use crate::device::disk::{self, Statistics};
use crate::files::text::Text;
use crate::files::{cache, inotify, mounts, reclaim, walk};
use crate::sched;
use crate::thread::{self, registry};
use crate::{RELEASE, VERSION};

const SECOND: u64 = 1_000_000_000;

pub const ENTRIES: &[Entry] = &[
    text("cmdline", |_, text| text.add_bytes(b"\n")),
    text("cpuinfo", describe_cpus),
    text("diskstats", count_requests),
    text("filesystems", |_, text| {
        text.add_bytes(b"nodev\ttmpfs\nnodev\tramfs\nnodev\tproc\nnodev\tsysfs\n\text4\n")
    }),
    text("loadavg", tell_load),
    text("locks", locks::list),
    text("meminfo", describe_memory),
    link("mounts", links::own_mounts),
    link("self", links::own_process),
    text("stat", count_time),
    text("swaps", |_, text| {
        text.add_bytes(b"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")
    }),
    folder("sys", &SYS),
    folder("sysvipc", &super::ipc::SYSVIPC),
    link("thread-self", links::own_thread),
    text("uptime", tell_uptime),
    text("version", |_, text| {
        text.add(format_args!("Linux version {RELEASE} ({VERSION})\n"))
    }),
];

static SYS: Listing = Listing {
    entries: &[&[
        folder("fs", &FS),
        folder("kernel", &KERNEL),
        folder("vm", &VM),
    ]],
    numbers: None,
};

static FS: Listing = Listing {
    entries: &[&[
        folder("inotify", &INOTIFY),
        folder("mqueue", &super::ipc::MQUEUE),
        text("file-max", |_, text| {
            text.add(format_args!("{}\n", i64::MAX))
        }),
        text("nr_open", |_, text| {
            text.add(format_args!("{}\n", crate::files::FileTable::MAX_LIMIT))
        }),
        text("pipe-max-size", |_, text| {
            text.add(format_args!("{}\n", crate::files::pipe::MAX_SIZE))
        }),
    ]],
    numbers: None,
};

static INOTIFY: Listing = Listing {
    entries: &[&[
        setting!("max_queued_events", inotify::MAX_QUEUED_EVENTS),
        setting!("max_user_instances", inotify::MAX_USER_INSTANCES),
        setting!("max_user_watches", inotify::MAX_USER_WATCHES),
    ]],
    numbers: None,
};

static KERNEL: Listing = Listing {
    entries: &[
        super::ipc::KERNEL,
        &[
            text("cap_last_cap", |_, text| text.add_bytes(b"40\n")),
            text("hostname", |_, text| text.add_bytes(b"weft\n")),
            text("ngroups_max", |_, text| text.add_bytes(b"65536\n")),
            text("osrelease", |_, text| text.add(format_args!("{RELEASE}\n"))),
            text("ostype", |_, text| text.add_bytes(b"Linux\n")),
            text("pid_max", |_, text| {
                text.add(format_args!("{}\n", registry::ID_MAX))
            }),
            folder("random", &RANDOM),
            text("threads-max", |_, text| {
                text.add(format_args!("{}\n", registry::ID_MAX))
            }),
            text("version", |_, text| text.add(format_args!("{VERSION}\n"))),
        ],
    ],
    numbers: None,
};

static RANDOM: Listing = Listing {
    entries: &[&[text("uuid", make_uuid)]],
    numbers: None,
};

static VM: Listing = Listing {
    entries: &[&[
        Entry {
            name: "drop_caches",
            permissions: 0o200,
            what: What::File(None, Some(drop_caches)),
        },
        text("max_map_count", |_, text| text.add_bytes(b"65530\n")),
        text("overcommit_memory", |_, text| text.add_bytes(b"1\n")),
    ]],
    numbers: None,
};

/// A line for each mount: device, directory, type, options, and two zeroes.
pub fn list_mounts(_: Subject, text: &mut Text) -> Result<(), Errno> {
    let root = mounts::get(0).ok_or(Errno::ENOENT)?;
    let mut index = 0;
    while let Some(mount) = mounts::get(index) {
        index += 1;
        let at = match walk::path_of(&root.root, &mount.root) {
            // Removed just before something was mounted there.
            Err(Errno::ENOENT) => continue,
            at => at?,
        };
        let options = if mount.read_only { "ro" } else { "rw" };
        add_escaped(text, &mount.source)?;
        text.add_bytes(b" ")?;
        add_escaped(text, &at)?;
        text.add(format_args!(" {} {options} 0 0\n", mount.kind))?;
    }
    Ok(())
}

/// As getmntent(3) has it: what separates words, and the backslash, in octal.
fn add_escaped(text: &mut Text, bytes: &[u8]) -> Result<(), Errno> {
    for &byte in bytes {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => text.add(format_args!("\\{byte:03o}"))?,
            _ => text.add_bytes(&[byte])?,
        }
    }
    Ok(())
}

fn describe_memory(_: Subject, text: &mut Text) -> Result<(), Errno> {
    let kib = |frames: usize| frames * (PAGE_SIZE / 1024);
    let free = frames::free_count();
    let cached = cache::clean_total();
    let lines = [
        ("MemTotal", kib(frames::total_count())),
        ("MemFree", kib(free)),
        ("MemAvailable", kib(free + cached)),
        ("Buffers", 0),
        ("Cached", kib(cached + cache::dirty_total())),
        ("SwapCached", 0),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Dirty", kib(cache::dirty_total())),
    ];
    for (name, kib) in lines {
        let width = 24 - name.len();
        text.add(format_args!("{name}:{kib:>width$} kB\n"))?;
    }
    Ok(())
}

/// What programs look for to count the CPUs, and to tell them apart.
fn describe_cpus(_: Subject, text: &mut Text) -> Result<(), Errno> {
    for index in 0..cpu::count() {
        text.add(format_args!(
            "processor\t: {index}\nvendor_id\t: Weft\ncpu family\t: 6\nmodel\t\t: 0\n\
             model name\t: x86-64\nstepping\t: 0\nphysical id\t: 0\nsiblings\t: {0}\n\
             core id\t\t: {index}\ncpu cores\t: {0}\nflags\t\t: fpu tsc cx8 cmov mmx fxsr sse sse2\n\n",
            cpu::count(),
        ))?;
    }
    Ok(())
}

/// Averages are not kept; threads that run now, threads, and the last id given out.
fn tell_load(_: Subject, text: &mut Text) -> Result<(), Errno> {
    let threads = thread::list()?;
    let running = threads.iter().filter(|info| info.state == b'R').count();
    let last = threads.iter().map(|info| info.tid).max().unwrap_or(0);
    text.add(format_args!(
        "0.00 0.00 0.00 {running}/{} {last}\n",
        threads.len()
    ))
}

/// Seconds since the start, and those that CPUs had nothing to do.
fn tell_uptime(_: Subject, text: &mut Text) -> Result<(), Errno> {
    let centis = time::now() / (SECOND / 100);
    text.add(format_args!("{}.{:02} 0.00\n", centis / 100, centis % 100))
}

/// `stat`: what is not counted is 0.
fn count_time(_: Subject, text: &mut Text) -> Result<(), Errno> {
    text.add(format_args!("cpu  0 0 0 0 0 0 0 0 0 0\n"))?;
    for index in 0..cpu::count() {
        text.add(format_args!("cpu{index} 0 0 0 0 0 0 0 0 0 0\n"))?;
    }
    let begun = crate::time::wall::now().saturating_sub(time::now()) / SECOND;
    let running = sched::online().count_ones();
    text.add(format_args!(
        "intr 0\nctxt 0\nbtime {begun}\nprocesses 0\nprocs_running {running}\nprocs_blocked 0\n"
    ))
}

/// A new one each time (RFC 9562, version 4).
fn make_uuid(_: Subject, text: &mut Text) -> Result<(), Errno> {
    let mut bytes = crate::random::bytes::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    for (index, byte) in bytes.iter().enumerate() {
        let dash = if matches!(index, 4 | 6 | 8 | 10) {
            "-"
        } else {
            ""
        };
        text.add(format_args!("{dash}{byte:02x}"))?;
    }
    text.add(format_args!("\n"))
}

/// A line for each disk: its number and name, then requests, merges, sectors and
/// milliseconds of reads, the same of writes, three fields of queues, four of
/// discards, two of flushes. What is not counted is 0.
fn count_requests(_: Subject, text: &mut Text) -> Result<(), Errno> {
    let mut result = Ok(());
    disk::for_each(|index, disk| {
        let Statistics {
            reads,
            sectors_read,
            writes,
            sectors_written,
            flushes,
        } = disk.statistics();
        let (major, minor) = (disk::MAJOR, index as u32 * disk::MINORS);
        let letter = char::from(b'a' + index as u8);
        let line = format_args!(
            "{major:>4} {minor:>7} vd{letter} {reads} 0 {sectors_read} 0 {writes} 0 \
             {sectors_written} 0 0 0 0 0 0 0 0 {flushes} 0\n"
        );
        result = result.and_then(|()| text.add(line));
    });
    result
}

/// 1, 2 or 3, as on Linux; all is dropped for any of them, and what is dirty is
/// written first.
fn drop_caches(_: Subject, word: &[u8]) -> Result<(), Errno> {
    match word {
        b"1" | b"2" | b"3" => {
            reclaim::drop_all();
            Ok(())
        }
        _ => Err(Errno::EINVAL),
    }
}

//! The program behind `cargo weft crash`: checks the states that a recorded run
//! may have left its disk in, or one disk of which the power was cut.

#![forbid(unsafe_code)]

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};
use crash::breakage::Breakage;
use crash::disk::Disk;
use crash::explore::{Failure, Recording, check_disk};
use crash::model::{Done, Model};
use crash::mounted;
use crash::recording;
use crash::states::{self, Distinct, Random, State};
use kernel::files::ext4::BLOCK;
use workload::{PROMISE, Promise};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check the states of a recording
    Explore(Explore),
    /// Check one disk
    Judge(Judge),
    /// Write images of a sample of states, for a guest to mount
    Sample(Sample),
    /// Check what the guest has seen of them
    Mounted(Sample),
}

/// What was run.
#[derive(Args)]
struct Workload {
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    threads: usize,
    #[arg(long)]
    operations: usize,
    /// Processes of stressfs that worked there too
    #[arg(long, default_value_t = 0)]
    stress: usize,
    /// Blocks of the file system; promises lie behind it
    #[arg(long)]
    blocks: u64,
    /// Where images may be written
    #[arg(long)]
    folder: PathBuf,
}

/// What was recorded.
#[derive(Args)]
struct Recorded {
    #[command(flatten)]
    workload: Workload,
    /// The disk before
    #[arg(long)]
    base: PathBuf,
    /// What happened to it
    #[arg(long)]
    log: PathBuf,
}

#[derive(Args)]
struct Explore {
    #[command(flatten)]
    recorded: Recorded,
    /// How many states, or all
    #[arg(long)]
    states: Option<usize>,
    /// Only this one
    #[arg(long)]
    state: Option<usize>,
    /// Put a fault into the recording
    #[arg(long = "break", value_enum)]
    breakage: Option<Breakage>,
}

#[derive(Args)]
struct Sample {
    #[command(flatten)]
    recorded: Recorded,
    /// How many states
    #[arg(long)]
    states: usize,
}

#[derive(Args)]
struct Judge {
    #[command(flatten)]
    workload: Workload,
    /// The disk after the cut
    #[arg(long)]
    image: PathBuf,
    /// What the console said until then
    #[arg(long)]
    console: Option<PathBuf>,
    /// There was no cut: the run has come to its end
    #[arg(long)]
    finished: bool,
}

fn main() -> ExitCode {
    machine::frames::arena::init();
    let result = match Cli::parse().command {
        Command::Explore(arguments) => explore(&arguments),
        Command::Judge(arguments) => judge(&arguments),
        Command::Sample(arguments) => save_sample(&arguments),
        Command::Mounted(arguments) => judge_mounted(&arguments),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("crash: {error:#}");
            ExitCode::from(2)
        }
    }
}

impl Workload {
    fn done(&self) -> Done {
        let model = |thread| Model::new(self.seed, thread, self.operations);
        Done {
            models: (0..self.threads).map(model).collect(),
            stressers: self.stress,
            is_finished: false,
        }
    }

    /// The file system on a disk, and what lies behind it.
    fn split(&self, mut disk: Vec<u8>) -> Result<(Vec<u8>, Vec<u8>)> {
        let end = self.blocks as usize * BLOCK;
        ensure!(disk.len() >= end, "the image is too short");
        let tail = disk.split_off(end);
        Ok((disk, tail))
    }
}

impl Recorded {
    fn read(&self) -> Result<Recording> {
        let workload = &self.workload;
        let base = fs::read(&self.base).context("cannot read the disk")?;
        Ok(Recording {
            base: workload.split(base)?.0,
            events: recording::read(&self.log, workload.blocks)?,
            done: workload.done(),
        })
    }
}

impl Sample {
    fn choose(&self, recording: &Recording) -> Vec<Distinct> {
        let seed = self.recorded.workload.seed;
        let all = states::all(&recording.events, seed);
        let distinct = states::distinct(&recording.base, &recording.events, &all);
        choose(&distinct, Some(self.states), seed)
    }
}

fn save_sample(arguments: &Sample) -> Result<bool> {
    let recorded = &arguments.recorded;
    let recording = recorded.read()?;
    let length = fs::metadata(&recorded.base).context("cannot read the disk")?;
    let room = length.len() - recording.base.len() as u64;
    let sample = arguments.choose(&recording);
    mounted::save(&recording, &sample, &recorded.workload.folder, room)?;
    Ok(true)
}

fn judge_mounted(arguments: &Sample) -> Result<bool> {
    let workload = &arguments.recorded.workload;
    let recording = arguments.recorded.read()?;
    let sample = arguments.choose(&recording);
    let failures = mounted::judge(&recording, &sample, &workload.folder)?;
    println!(
        "{} states were mounted by Weft in a guest: {} of them FAILED",
        sample.len(),
        failures.len()
    );
    if let Some(failure) = failures.first() {
        report(&recording, failure, workload)?;
    }
    Ok(failures.is_empty())
}

fn explore(arguments: &Explore) -> Result<bool> {
    let workload = &arguments.recorded.workload;
    let mut recording = arguments.recorded.read()?;
    if let Some(breakage) = arguments.breakage {
        recording.events = breakage.apply(recording.events);
    }
    let all = states::all(&recording.events, workload.seed);
    if let Some(number) = arguments.state {
        let state = all.get(number).context("there is no such state")?;
        return one(&recording, number, *state, workload);
    }
    let distinct = states::distinct(&recording.base, &recording.events, &all);
    let chosen = choose(&distinct, arguments.states, workload.seed);
    let flushes = recording
        .events
        .iter()
        .filter(|event| **event == recording::Event::Flush);
    println!(
        "{} events with {} flushes and {} promises: {} states, {} of them different; {} are checked",
        recording.events.len(),
        flushes.count(),
        recording.promises(recording.events.len()).len(),
        all.len(),
        distinct.len(),
        chosen.len()
    );
    let failures = recording.check_all(&chosen, &workload.folder)?;
    let Some(first) = failures.first() else {
        println!("every one of them is whole, and what was promised is there");
        return Ok(true);
    };
    println!("{} of them FAILED; seed {}", failures.len(), workload.seed);
    let shortest = shortest(&recording, &distinct, first, workload)?;
    let failure = shortest.as_ref().unwrap_or(first);
    report(&recording, failure, workload)?;
    Ok(false)
}

/// As many states as are wanted, spread over all, with the last among them.
fn choose(distinct: &[Distinct], wanted: Option<usize>, seed: u64) -> Vec<Distinct> {
    let wanted = match wanted {
        Some(wanted) if wanted < distinct.len() => wanted.max(1),
        _ => return distinct.to_vec(),
    };
    let mut random = Random(seed);
    // One of each part of the run.
    let bound = |part: usize| part * distinct.len() / wanted;
    let one = |part: usize| {
        let (start, end) = (bound(part), bound(part + 1));
        let at = start + random.below((end - start) as u64) as usize;
        distinct[if part + 1 == wanted { end - 1 } else { at }]
    };
    (0..wanted).map(one).collect()
}

/// States that are looked at to find a shorter prefix.
const SEARCHED: usize = 300;

/// The first state before `failure` that must not be either.
fn shortest(
    recording: &Recording,
    distinct: &[Distinct],
    failure: &Failure,
    workload: &Workload,
) -> Result<Option<Failure>> {
    let earlier = distinct.partition_point(|other| other.number < failure.number);
    let start = earlier.saturating_sub(SEARCHED);
    let found = recording.check_all(&distinct[start..earlier], &workload.folder)?;
    Ok(found.into_iter().next())
}

fn report(recording: &Recording, failure: &Failure, workload: &Workload) -> Result<()> {
    let image = workload
        .folder
        .join(format!("state-{}.img", failure.number));
    recording.save(failure.state, &image)?;
    println!(
        "the shortest prefix found that shows it: {} of {} events, the last flush at {}, then \
         {:?}\nstate {}: {}\nits image, before anything was replayed: {}\n\
         again: cargo weft crash --recorded --state {}",
        failure.state.cut,
        recording.events.len(),
        failure.state.flushed,
        failure.state.choice,
        failure.number,
        failure.why,
        image.display(),
        failure.number,
    );
    Ok(())
}

fn one(recording: &Recording, number: usize, state: State, workload: &Workload) -> Result<bool> {
    let wanted = Distinct {
        number,
        state,
        first_cut: state.cut,
    };
    match recording.check_all(&[wanted], &workload.folder)?.first() {
        Some(failure) => report(recording, failure, workload).map(|()| false),
        None => {
            println!("state {number} is whole: {state:?}");
            Ok(true)
        }
    }
}

fn judge(arguments: &Judge) -> Result<bool> {
    let workload = &arguments.workload;
    let disk = fs::read(&arguments.image).context("cannot read the disk")?;
    let (disk, tail) = workload.split(disk)?;
    let promises: Vec<Promise> = tail
        .chunks(PROMISE)
        .filter_map(Promise::from_bytes)
        .collect();
    let said = match &arguments.console {
        Some(console) => fs::read_to_string(console).context("cannot read the console")?,
        None => String::new(),
    };
    // A line without its end may lack more.
    let lines = said
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    let said: Vec<Promise> = lines.filter_map(said_promise).collect();
    let lost = said.iter().find(|promise| !promises.contains(promise));
    let copy = workload.folder.join("judged.img");
    let done = Done {
        is_finished: arguments.finished,
        ..workload.done()
    };
    let result = match lost {
        Some(promise) => Err(anyhow::anyhow!(
            "{promise:?} was synced, and is not on the disk"
        )),
        None => check_disk(Disk::new(Arc::new(disk)), &done, &promises, &copy),
    };
    let counts = format!(
        "{} promises on the disk, {} on the console",
        promises.len(),
        said.len()
    );
    match &result {
        Ok(()) => println!("whole: {counts}"),
        Err(error) => println!("{error:#}; {counts}"),
    }
    Ok(result.is_ok())
}

/// `promise THREAD OPERATION`, as a whole line.
fn said_promise(line: &str) -> Option<Promise> {
    let mut words = line.trim_end().split(' ');
    (words.next()? == "promise").then_some(())?;
    let mut number = || words.next()?.parse().ok();
    Some(Promise {
        thread: number()?,
        operation: number()?,
    })
}

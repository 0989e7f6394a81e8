//! Judges what crashes leave of a disk. `cargo weft crash` records a run of the
//! workload (`user/workload`) in the guest and starts this crate's program.
//!
//! [`recording`] reads what happened to the disk, [`states`] numbers what a
//! crash may leave of it, [`disk`] is one such state, [`explore`] checks many;
//! [`fsck`] and Weft's own ext4 by way of [`tree`] read what is there, and
//! [`judge`] compares it with the [`model`] of what was done; [`stress`] knows
//! what `stressfs` leaves. A sample is [`mounted`] by the kernel in a guest instead.

#![forbid(unsafe_code)]

pub mod breakage;
pub mod disk;
pub mod explore;
pub mod fsck;
pub mod judge;
pub mod model;
pub mod mounted;
pub mod recording;
pub mod states;
pub mod stress;
pub mod tree;

//! The host has no disks: what stands above is tested on a model.

use crate::disk::{Busy, Operation, Segment};

pub enum Disk {}

pub fn find(_found: &mut dyn FnMut(Disk)) {}

impl Disk {
    pub fn sectors(&self) -> u64 {
        match *self {}
    }

    pub fn read_only(&self) -> bool {
        match *self {}
    }

    pub fn most_segments(&self) -> usize {
        match *self {}
    }

    pub fn line(&self) -> usize {
        match *self {}
    }

    pub fn start(
        &self,
        _operation: Operation,
        _sector: u64,
        _segments: &[Segment<'_>],
        _token: u32,
    ) -> Result<(), Busy> {
        match *self {}
    }

    pub fn finished(&self, _each: &mut dyn FnMut(u32, bool)) -> usize {
        match *self {}
    }
}

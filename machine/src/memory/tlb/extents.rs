//! Which pages a CPU has to forget: a few runs of pages, or everything.

use crate::address::PAGE_SIZE;

/// Runs a batch keeps apart.
pub(super) const RUNS: usize = 4;
/// Above this many pages, forgetting everything is cheaper than one by one.
const PAGES: usize = 24;

/// Pages whose translations changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Extents {
    /// First address and number of pages of each run.
    runs: [(usize, usize); RUNS],
    count: usize,
    pages: usize,
}

impl Extents {
    pub(super) const NONE: Self = Self {
        runs: [(0, 0); RUNS],
        count: 0,
        pages: 0,
    };

    /// All pages there are.
    pub(super) const fn everything() -> Self {
        Self {
            pages: PAGES + 1,
            ..Self::NONE
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pages == 0
    }

    /// More than is worth forgetting page by page.
    pub(super) fn is_everything(&self) -> bool {
        self.pages > PAGES
    }

    #[inline]
    pub(super) fn add(&mut self, address: usize) {
        self.pages += 1;
        if let Some((start, pages)) = self.runs[..self.count].last_mut()
            && *start + *pages * PAGE_SIZE == address
        {
            *pages += 1;
        } else if self.count < RUNS {
            self.runs[self.count] = (address, 1);
            self.count += 1;
        } else {
            self.pages = PAGES + 1;
        }
    }

    pub(super) fn runs(&self) -> &[(usize, usize)] {
        &self.runs[..self.count]
    }

    /// From runs as [`Extents::runs`] gave them.
    pub(super) fn from_runs(runs: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut extents = Self::NONE;
        for (run, slot) in runs.zip(&mut extents.runs) {
            *slot = run;
            extents.count += 1;
            extents.pages += run.1;
        }
        extents
    }

    /// The address of each page. Not for more than is worth it.
    pub(super) fn each(&self) -> impl Iterator<Item = usize> {
        self.runs()
            .iter()
            .flat_map(|&(start, pages)| (0..pages).map(move |page| start + page * PAGE_SIZE))
    }
}

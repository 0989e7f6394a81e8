//! The tree of processes: who is whose child, and who has ended and waits to
//! be waited for. Plain data over ids, guarded by one lock in [`super::group`].
//!
//! Room is made when a child is added, so that ending, reparenting and
//! reaping never allocate.

use abi::Errno;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use hashbrown::HashMap;

/// A process id (a group's id).
pub type Pid = u32;

/// The process that adopts orphans.
pub const INIT: Pid = 1;

struct Node<G> {
    group: G,
    parent: Pid,
    children: Vec<Pid>,
    /// Children that have ended, in order, with their status words.
    ended: VecDeque<(Pid, i32)>,
}

/// All processes; `G` is what the owner keeps per process.
pub struct Family<G> {
    nodes: HashMap<Pid, Node<G>>,
    /// Those besides init that adopt orphans among their descendants.
    subreapers: Vec<Pid>,
}

/// Processes besides init that may adopt orphans.
const MOST_SUBREAPERS: usize = 128;

impl<G> Node<G> {
    /// For so many children, alive or ended, and for one more than there are. ENOMEM.
    fn make_room(&mut self, room: usize) -> Result<(), Errno> {
        let room = room.max(self.children.len() + 1);
        let (alive, ended) = (self.children.len(), self.ended.len());
        let done = self.children.try_reserve(room - alive);
        done.and(self.ended.try_reserve(room - ended))
            .map_err(|_| Errno::ENOMEM)
    }
}

/// Which children a wait is for (waitpid(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Any,
    One(Pid),
}

/// What a wait found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// An ended child and its status word.
    Ended(Pid, i32),
    /// There are such children, all alive.
    Alive,
    /// There are none.
    None,
}

impl<G: Clone> Family<G> {
    pub fn new() -> Self {
        Family {
            nodes: HashMap::new(),
            subreapers: Vec::new(),
        }
    }

    /// Adds `pid` as a child of `parent` (init has none: its own id).
    ///
    /// # Errors
    /// `ENOMEM`, and nothing is changed.
    pub fn add(&mut self, pid: Pid, parent: Pid, group: G) -> Result<(), Errno> {
        self.nodes.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        let total = self.nodes.len() + 1;
        // Init may come to adopt every process there is, and so may others that adopt.
        let adopting = self.subreapers.iter().map(|&id| (id, total));
        for (id, room) in [(INIT, total), (parent, 0)].into_iter().chain(adopting) {
            if let Some(node) = self.nodes.get_mut(&id) {
                node.make_room(room)?;
            }
        }
        let node = Node {
            group,
            parent,
            children: Vec::new(),
            ended: VecDeque::new(),
        };
        self.nodes.insert(pid, node);
        if pid != parent
            && let Some(node) = self.nodes.get_mut(&parent)
        {
            node.children.push(pid);
        }
        Ok(())
    }

    /// Takes back an `add` whose process never ran.
    pub fn remove(&mut self, pid: Pid) {
        if let Some(node) = self.nodes.remove(&pid) {
            self.forget_child(node.parent, pid);
        }
    }

    /// Lets `pid` adopt orphans among its descendants, as init does all others;
    /// or no more. ENOMEM, also if there are too many: each has room for all.
    pub fn set_subreaper(&mut self, pid: Pid, adopts: bool) -> Result<(), Errno> {
        if !adopts {
            self.subreapers.retain(|&other| other != pid);
        } else if !self.is_subreaper(pid) {
            if self.subreapers.len() >= MOST_SUBREAPERS {
                return Err(Errno::ENOMEM);
            }
            let total = self.nodes.len();
            if let Some(node) = self.nodes.get_mut(&pid) {
                node.make_room(total)?;
            }
            self.subreapers.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            self.subreapers.push(pid);
        }
        Ok(())
    }

    pub fn is_subreaper(&self, pid: Pid) -> bool {
        self.subreapers.contains(&pid)
    }

    /// Who adopts the children of `pid`: the next above that does.
    fn adopter(&self, pid: Pid) -> Pid {
        let mut above = self.parent(pid);
        while above != 0 && !self.is_subreaper(above) {
            above = self.parent(above);
        }
        if above == 0 { INIT } else { above }
    }

    /// The parent's id; 0 for init, whose parent is nobody.
    pub fn parent(&self, pid: Pid) -> Pid {
        match self.nodes.get(&pid) {
            Some(node) if node.parent != pid => node.parent,
            _ => 0,
        }
    }

    /// Whether there are processes that have ended and that init has yet to wait for.
    pub fn init_is_behind(&self) -> bool {
        let init = self.nodes.get(&INIT);
        init.is_some_and(|init| !init.ended.is_empty())
    }

    pub fn get(&self, pid: Pid) -> Option<&G> {
        self.nodes.get(&pid).map(|node| &node.group)
    }

    /// `pid` has ended with `status`: its children go to who adopts them, each told by
    /// `adopted`, and it waits for its parent. Returns the parent, and the adopter if it
    /// has got ended children by it: both are to be told.
    pub fn end(
        &mut self,
        pid: Pid,
        status: i32,
        adopted: impl Fn(&G, Pid),
    ) -> (Option<G>, Option<G>) {
        let adopter = match self.subreapers.is_empty() {
            true => INIT,
            false => self.adopter(pid),
        };
        self.subreapers.retain(|&other| other != pid);
        let Some(node) = self.nodes.get_mut(&pid) else {
            return (None, None);
        };
        let parent = node.parent;
        let children = core::mem::take(&mut node.children);
        let ended = core::mem::take(&mut node.ended);
        for &child in &children {
            if let Some(child) = self.nodes.get_mut(&child) {
                child.parent = adopter;
                adopted(&child.group, adopter);
            }
        }
        let has_ended = !ended.is_empty();
        if let Some(adopter) = self.nodes.get_mut(&adopter) {
            adopter.children.extend(children);
            adopter.ended.extend(ended);
        }
        let adopter = self.get(adopter).filter(|_| has_ended).cloned();
        let told = self.nodes.get_mut(&parent).map(|parent| {
            parent.ended.push_back((pid, status));
            parent.group.clone()
        });
        (told, adopter)
    }

    /// Looks for an ended child of `parent` among `which` that `wanted` accepts.
    pub fn find(&self, parent: Pid, which: Which, wanted: impl Fn(&G) -> bool) -> Found {
        let Some(node) = self.nodes.get(&parent) else {
            return Found::None;
        };
        let is = |pid: Pid| {
            (which == Which::Any || which == Which::One(pid)) && self.get(pid).is_some_and(&wanted)
        };
        if let Some(&(pid, status)) = node.ended.iter().find(|(pid, _)| is(*pid)) {
            return Found::Ended(pid, status);
        }
        if node.children.iter().any(|&pid| is(pid)) {
            Found::Alive
        } else {
            Found::None
        }
    }

    /// A child of `parent` among `which` that `wanted` accepts.
    pub fn any(&self, parent: Pid, which: Which, wanted: impl Fn(&G) -> bool) -> Option<G> {
        let children = self.nodes.get(&parent)?.children.iter();
        let mut groups = children
            .filter(|&&pid| which == Which::Any || which == Which::One(pid))
            .filter_map(|&pid| self.get(pid));
        groups.find(|group| wanted(group)).cloned()
    }

    /// Forgets the ended child `pid` of `parent`. False if somebody else did.
    pub fn reap(&mut self, parent: Pid, pid: Pid) -> bool {
        let is_ended = self
            .nodes
            .get(&parent)
            .is_some_and(|node| node.ended.iter().any(|&(ended, _)| ended == pid));
        if is_ended {
            self.remove(pid);
        }
        is_ended
    }

    fn forget_child(&mut self, parent: Pid, pid: Pid) {
        if let Some(node) = self.nodes.get_mut(&parent) {
            if let Some(at) = node.children.iter().position(|&child| child == pid) {
                node.children.swap_remove(at);
            }
            node.ended.retain(|&(ended, _)| ended != pid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(pairs: &[(Pid, Pid)]) -> Family<Pid> {
        let mut family = Family::new();
        for &(pid, parent) in pairs {
            family.add(pid, parent, pid).unwrap();
        }
        family
    }

    #[test]
    fn ended_children_are_found_in_order_and_reaped_once() {
        let mut family = family(&[(1, 1), (2, 1), (3, 1)]);
        assert_eq!(family.find(1, Which::Any, |_| true), Found::Alive);
        family.end(3, 30, |_, _| {});
        family.end(2, 20, |_, _| {});
        assert_eq!(family.find(1, Which::Any, |_| true), Found::Ended(3, 30));
        assert_eq!(family.find(1, Which::One(2), |_| true), Found::Ended(2, 20));
        assert!(family.reap(1, 3));
        assert!(!family.reap(1, 3));
        assert!(family.reap(1, 2));
        assert_eq!(family.find(1, Which::Any, |_| true), Found::None);
    }

    #[test]
    fn orphans_go_to_init_the_ended_ones_too() {
        let mut family = family(&[(1, 1), (2, 1), (3, 2), (4, 2)]);
        family.end(3, 9, |_, _| {});
        assert!(!family.init_is_behind());
        assert_eq!(family.end(2, 0, |_, _| {}), (Some(1), Some(1)));
        assert!(family.init_is_behind());
        assert_eq!(family.parent(4), 1);
        assert_eq!(family.find(1, Which::One(3), |_| true), Found::Ended(3, 9));
        assert!(family.reap(1, 2));
        assert_eq!(family.find(1, Which::One(4), |_| true), Found::Alive);
        assert_eq!(family.parent(1), 0);
    }

    #[test]
    fn orphans_go_to_the_next_above_who_adopts() {
        let mut family = family(&[(1, 1), (2, 1), (3, 2), (4, 3), (5, 4), (6, 5)]);
        family.set_subreaper(2, true).unwrap();
        family.set_subreaper(3, true).unwrap();
        assert!(family.is_subreaper(3) && !family.is_subreaper(4));
        family.end(4, 0, |_, _| {});
        assert_eq!(family.parent(5), 3);
        // It no longer does when it ends itself.
        family.end(3, 0, |_, adopter| assert_eq!(adopter, 2));
        assert!(!family.is_subreaper(3));
        assert_eq!(family.parent(5), 2);
        family.set_subreaper(2, false).unwrap();
        family.end(5, 0, |_, _| {});
        assert_eq!(family.parent(6), 1);
    }

    #[test]
    fn children_that_are_not_wanted_do_not_count() {
        let family = family(&[(1, 1), (2, 1)]);
        assert_eq!(family.find(1, Which::Any, |&pid| pid != 2), Found::None);
        assert_eq!(family.find(9, Which::Any, |_| true), Found::None);
    }
}

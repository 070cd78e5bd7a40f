//! Which file loads which, and which are seen loaded together: [`Names`], [`Together`].

use std::collections::HashMap;

use crate::member::Member;
use crate::profile::Profile;

/// Finds members by the names that importers and profiles use.
pub(crate) struct Names<'a> {
    members: &'a [Member],
    by_name: HashMap<String, Vec<usize>>,
}

/// Returns the part of a path behind its last `/` or `\`, in lower case.
pub(crate) fn file_name(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or(path).to_lowercase()
}

impl<'a> Names<'a> {
    pub(crate) fn of(members: &'a [Member]) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::with_capacity(members.len());
        for (index, member) in members.iter().enumerate() {
            for path in std::iter::once(&member.path).chain(&member.links) {
                let found = by_name.entry(file_name(path)).or_default();
                if found.last() != Some(&index) {
                    found.push(index);
                }
            }
        }
        Self { members, by_name }
    }

    /// Returns the members that a path in a profile means: of those with its file name, those whose paths agree with it
    /// in the most folders from the end.
    pub(crate) fn of_module(&self, path: &str) -> Vec<usize> {
        let Some(found) = self.by_name.get(&file_name(path)) else { return Vec::new() };
        if let [one] = found[..] {
            return vec![one];
        }
        let agreement = |index: &usize| {
            let own = self.members[*index].path.rsplit(['/', '\\']);
            own.zip(path.rsplit(['/', '\\'])).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
        };
        let best = found.iter().map(agreement).max();
        found.iter().copied().filter(|index| Some(agreement(index)) == best).collect()
    }

    /// Returns the members that an import may mean: those in the importer's own folder, else all of that name.
    fn of_import(&self, importer: usize, name: &str) -> Vec<usize> {
        let Some(found) = self.by_name.get(name) else { return Vec::new() };
        let folder =
            |index: usize| self.members[index].path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let near: Vec<usize> =
            found.iter().copied().filter(|&index| folder(index) == folder(importer)).collect();
        if near.is_empty() { found.clone() } else { near }
    }

    /// Returns for each member those that it imports.
    pub(crate) fn edges(&self) -> Vec<Vec<usize>> {
        let of = |(index, member): (usize, &Member)| {
            let mut edges: Vec<usize> =
                member.imports.iter().flat_map(|name| self.of_import(index, name)).collect();
            edges.sort_unstable();
            edges.dedup();
            edges
        };
        self.members.iter().enumerate().map(of).collect()
    }

    /// Returns how many of the profiles' processes had each member loaded.
    pub(crate) fn uses(&self, profiles: &[Profile]) -> Vec<u64> {
        let mut uses = vec![0; self.members.len()];
        for process in profiles.iter().flat_map(|profile| &profile.processes) {
            for index in self.of_process(&process.modules) {
                uses[index] += 1;
            }
        }
        uses
    }

    fn of_process(&self, modules: &[String]) -> Vec<usize> {
        let mut found: Vec<usize> = modules.iter().flat_map(|path| self.of_module(path)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Returns everything that is loaded when `root` is, itself included.
pub(crate) fn closure(edges: &[Vec<usize>], root: usize) -> Vec<usize> {
    let mut seen = vec![false; edges.len()];
    let mut found = vec![root];
    seen[root] = true;
    let mut next = 0;
    while let Some(&index) = found.get(next) {
        next += 1;
        for &other in &edges[index] {
            if !std::mem::replace(&mut seen[other], true) {
                found.push(other);
            }
        }
    }
    found
}

/// Returns the members that no other imports; where imports only go round in circles, one of each circle.
pub(crate) fn roots(edges: &[Vec<usize>]) -> Vec<usize> {
    let mut is_imported = vec![false; edges.len()];
    for (index, list) in edges.iter().enumerate() {
        list.iter().filter(|&&other| other != index).for_each(|&other| is_imported[other] = true);
    }
    let mut roots: Vec<usize> = (0..edges.len()).filter(|&index| !is_imported[index]).collect();
    let mut is_covered = vec![false; edges.len()];
    for &root in &roots {
        mark(edges, root, &mut is_covered);
    }
    for index in 0..edges.len() {
        if !is_covered[index] {
            roots.push(index);
            mark(edges, index, &mut is_covered);
        }
    }
    roots
}

fn mark(edges: &[Vec<usize>], root: usize, is_covered: &mut [bool]) {
    let mut open = vec![root];
    while let Some(index) = open.pop() {
        if !std::mem::replace(&mut is_covered[index], true) {
            open.extend(&edges[index]);
        }
    }
}

/// What is loaded together, by profiles and by imports.
pub(crate) struct Together {
    /// For each member, the sets that it is part of, a bit each: profiles' processes first, then closures of roots.
    sets: Vec<Vec<u64>>,
    /// How many processes the profiles saw.
    pub(crate) processes: usize,
}

impl Together {
    pub(crate) fn of(names: &Names, profiles: &[Profile]) -> Self {
        let edges = names.edges();
        let roots = roots(&edges);
        let processes: Vec<&Vec<String>> =
            profiles.iter().flat_map(|profile| &profile.processes).map(|process| &process.modules).collect();
        let words = (processes.len() + roots.len()).div_ceil(64);
        let mut sets = vec![vec![0u64; words]; edges.len()];
        let mut put = |set: usize, found: Vec<usize>| {
            for index in found {
                sets[index][set / 64] |= 1 << (set % 64);
            }
        };
        for (set, modules) in processes.iter().enumerate() {
            put(set, names.of_process(modules));
        }
        for (rank, &root) in roots.iter().enumerate() {
            put(processes.len() + rank, closure(&edges, root));
        }
        Self { sets, processes: processes.len() }
    }

    /// Says whether two members are known to be loaded by one process.
    pub(crate) fn are(&self, a: usize, b: usize) -> bool {
        self.sets[a].iter().zip(&self.sets[b]).any(|(a, b)| a & b != 0)
    }
}

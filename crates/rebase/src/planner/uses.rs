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

    /// Returns the members that an import may mean: of those of that name, the nearest in the tree of folders.
    fn of_import(&self, importer: usize, name: &str) -> Vec<usize> {
        let Some(found) = self.by_name.get(name) else { return Vec::new() };
        if let [one] = found[..] {
            return vec![one];
        }
        let folders = |index: usize| {
            let path = self.members[index].path.as_str();
            path.rsplit_once('/').map_or("", |(folder, _)| folder).split('/')
        };
        // The more folders they have in common, and the fewer lie between, the nearer.
        let nearness = |&index: &usize| {
            let common = folders(index).zip(folders(importer)).take_while(|(a, b)| a == b).count();
            (common, std::cmp::Reverse(folders(index).count()))
        };
        let best = found.iter().map(nearness).max();
        found.iter().copied().filter(|index| Some(nearness(index)) == best).collect()
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
    /// For each member, the sets that it is part of, a bit each.
    sets: Vec<Vec<u64>>,
    /// How many processes the profiles saw.
    pub(crate) processes: usize,
}

impl Together {
    pub(crate) fn of(names: &Names, profiles: &[Profile]) -> Self {
        let edges = names.edges();
        let modules = profiles.iter().flat_map(|profile| &profile.processes).map(|process| &process.modules);
        let mut known: Vec<Vec<usize>> = modules.map(|modules| names.of_process(modules)).collect();
        let processes = known.len();
        known.sort_unstable();
        known.dedup();
        // What a process is known to have had loaded whole says nothing new.
        let is_new = |found: &Vec<usize>, root: usize| {
            let holds = |set: &Vec<usize>| found.iter().all(|index| set.binary_search(index).is_ok());
            !known.iter().any(|set| set.binary_search(&root).is_ok() && holds(set))
        };
        let closures = roots(&edges).into_iter().map(|root| (closure(&edges, root), root));
        let closures: Vec<Vec<usize>> =
            closures.filter(|(found, root)| is_new(found, *root)).map(|(found, _)| found).collect();
        let words = (known.len() + closures.len()).div_ceil(64);
        let mut sets = vec![vec![0u64; words]; edges.len()];
        for (set, found) in known.iter().chain(&closures).enumerate() {
            for &index in found {
                sets[index][set / 64] |= 1 << (set % 64);
            }
        }
        Self { sets, processes }
    }

    /// Says whether two members are known to be loaded by one process.
    pub(crate) fn are(&self, a: usize, b: usize) -> bool {
        self.sets[a].iter().zip(&self.sets[b]).any(|(a, b)| a & b != 0)
    }
}

//! Gives every file of a fleet a base address of its own: [`plan()`].
//!
//! Pure. First it is settled who stays (`keep`: as many as can), then the rest is placed (`arrange`): what profiles
//! saw most goes to the safest end of the layout's bands, large before small, into holes found in logarithmic time.
//! `share` comes last, when asked and when nothing else fits.

mod arrange;
mod holes;
mod keep;
mod reasons;
mod report;
mod share;
mod space;
mod uses;

use std::collections::HashMap;

use plat_regions::{Address, AddressRange, Layout};

use crate::database::Entry;
use crate::member::{Constraint, Machine, Member, Movable};
use crate::plan::{Move, Obstacle, Plan, Reason, SharedPair};
use crate::profile::Profile;
use arrange::{Arrangement, Strategy};
use share::{Placed, Sharing};
pub use space::{Segment, Space};
use space::{round_up, union};
use uses::{Names, Together};
pub(crate) use uses::{closure, file_name, roots};

/// How a fleet is planned.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// Room for growth, in per cent of each file's size.
    pub slack_percent: u32,
    /// Bytes left free behind each file, besides.
    pub gap: u64,
    /// Files that are never loaded together may share addresses when nothing else fits.
    pub share: bool,
    /// Place every file anew: stability is given up for order.
    pub repack: bool,
}

/// What is planned.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The fleet.
    pub members: &'a [Member],
    /// The layout whose bands and reserved ranges are kept.
    pub layout: &'a Layout,
    /// What the database knows of the fleet's files.
    pub known: &'a [Entry],
    /// What takes addresses and is no part of the fleet: the other files of the database.
    pub obstacles: &'a [Obstacle],
    /// What was seen loaded together.
    pub profiles: &'a [Profile],
    /// How.
    pub options: &'a PlanOptions,
}

/// Why no plan can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The layout has no band that DLLs may be given bases in.
    #[error("layout {0}: has no band with use = \"dll\"")]
    NoBands(String),
    /// A file's fixed place is taken or reserved.
    #[error("{path}: cannot be fixed at {base}: {why}")]
    Fixed {
        /// The file.
        path: String,
        /// The base that was asked for.
        base: Address,
        /// Who or what is there.
        why: String,
    },
    /// A file is to be near one that is neither in the fleet nor in the database.
    #[error("{path}: is to be near {near}, which is neither in the fleet nor in the database")]
    UnknownNear {
        /// The file.
        path: String,
        /// What it is to be near.
        near: String,
    },
}

/// A member that can be moved, in the units of the planner.
#[derive(Clone, Debug)]
pub(crate) struct Item<'a> {
    /// The member, by its index.
    index: usize,
    /// Its size in whole units of 64 KiB.
    bytes: u64,
    /// The bytes that it should have: its size, slack and gap, in whole units.
    slot: u64,
    /// Where it should stay, if it can: its place in the database, or its present base.
    desired: Option<Address>,
    known: Option<&'a Entry>,
    uses: u64,
    importers: u64,
    fixed: Option<Address>,
    near: Option<&'a str>,
    group: Option<&'a str>,
}

impl Item<'_> {
    /// Returns the bytes that it keeps where it stays.
    fn kept_bytes(&self) -> u64 {
        self.known.map_or(self.bytes, |entry| round_up(entry.slot).unwrap_or(0).max(self.bytes))
    }
}

/// Everything that is settled before anything is placed.
pub(crate) struct Fleet<'a> {
    request: Request<'a>,
    space: Space<'a>,
    items: Vec<Item<'a>>,
    obstacles: Vec<Obstacle>,
    /// The obstacles' ranges; ascending and disjoint.
    occupied: Vec<AddressRange>,
    ignored: Vec<(String, String)>,
}

/// Plans a fleet.
///
/// A plan is made even when not every file fits: [`crate::PlanReport::unplaced`] lists those that do not.
///
/// # Errors
/// [`PlanError`] when the layout has no room at all, or constraints contradict each other.
pub fn plan(request: &Request) -> Result<Plan, PlanError> {
    let names = Names::of(request.members);
    let fleet = Fleet::new(*request, &names)?;
    let kept = fleet.keep()?;
    let mut tried = Vec::new();
    for strategy in Strategy::ALL {
        tried.push((fleet.arrange(&kept, strategy)?, Vec::new()));
        if tried.last().is_some_and(|(last, _)| last.unplaced_bytes == 0) {
            break;
        }
    }
    let all_fit = tried.iter().any(|(it, _)| it.unplaced_bytes == 0);
    if request.options.share && (!all_fit || fleet.shares_already()) {
        let together = Together::of(&names, request.profiles);
        tried.insert(0, (fleet.arrange(&kept, Strategy::FOR_SHARING)?, Vec::new()));
        let mut fewest = usize::MAX;
        for (arrangement, shared) in &mut tried {
            // Each file without a place is to share: no need to try what can only be worse.
            let left = arrangement.places.iter().filter(|place| place.is_none()).count();
            if left < fewest {
                *shared = fleet.share(arrangement, &together);
                fewest = if arrangement.unplaced_bytes == 0 { left } else { fewest };
            }
        }
    }
    let sharers = |it: &Arrangement| it.shares.iter().filter(|&&shares| shares).count();
    let best = tried.into_iter().min_by_key(|(it, _)| (it.unplaced_bytes, sharers(it)));
    let (chosen, shared) = best.expect("there are strategies");
    let moves = fleet.moves(&chosen, &kept);
    let report = fleet.report(&moves, &shared, &chosen);
    let obstacles = fleet.obstacles;
    Ok(Plan { layout: request.layout.name.clone(), moves, obstacles, shared, report })
}

/// Returns for each member those that it imports.
pub(crate) fn import_edges(members: &[Member]) -> Vec<Vec<usize>> {
    Names::of(members).edges()
}

fn machine_bits(machine: Machine) -> u32 {
    if machine == Machine::I386 { 32 } else { 64 }
}

impl<'a> Fleet<'a> {
    fn new(request: Request<'a>, names: &Names) -> Result<Self, PlanError> {
        let space = Space::of(request.layout);
        if space.segments.is_empty() {
            return Err(PlanError::NoBands(request.layout.name.clone()));
        }
        let known: HashMap<&str, &Entry> = request.known.iter().map(|it| (it.path.as_str(), it)).collect();
        let uses = names.uses(request.profiles);
        let mut importers = vec![0u64; request.members.len()];
        names.edges().iter().flatten().for_each(|&index| importers[index] += 1);
        let obstacles = request.obstacles.to_vec();
        let mut fleet =
            Self { request, space, items: Vec::new(), obstacles, occupied: Vec::new(), ignored: Vec::new() };
        for (index, member) in request.members.iter().enumerate() {
            let mut item = fleet.item(index, known.get(member.path.as_str()).copied());
            (item.uses, item.importers) = (uses[index], importers[index]);
            fleet.admit(item);
        }
        let page_rounded = |it: &Obstacle| AddressRange::sized(it.base, round_up(it.size)?);
        fleet.occupied = union(fleet.obstacles.iter().filter_map(page_rounded).collect());
        for item in &mut fleet.items {
            item.desired = item.desired.filter(|&base| fleet.space.objection_to(base, item.bytes).is_none());
        }
        Ok(fleet)
    }

    fn item(&self, index: usize, known: Option<&'a Entry>) -> Item<'a> {
        let (member, options) = (&self.request.members[index], &self.request.options);
        let bytes = round_up(member.size.max(1)).unwrap_or(!0xffff);
        let slack = u128::from(member.size) * u128::from(options.slack_percent) / 100;
        let wanted = u128::from(member.size) + slack + u128::from(options.gap);
        let slot = u64::try_from(wanted).ok().and_then(round_up).unwrap_or(bytes).max(bytes);
        let desired = known.map_or(member.base, |entry| entry.base);
        let desired = if self.space.objection_to(desired, bytes).is_none() { desired } else { member.base };
        let mut item = Item {
            index,
            bytes,
            slot,
            desired: Some(desired),
            known,
            uses: 0,
            importers: 0,
            fixed: None,
            near: None,
            group: None,
        };
        let recorded = known.map_or(&[][..], |entry| &entry.constraints);
        for constraint in recorded.iter().chain(&member.constraints) {
            match constraint {
                Constraint::NeverMove => {}
                Constraint::Fixed(base) => item.fixed = Some(*base),
                Constraint::Near(path) => item.near = Some(path),
                Constraint::Group(name) => item.group = Some(name),
            }
        }
        item
    }

    /// Sorts a member into what is moved, what stands in the way, and what is none of the plan's business.
    fn admit(&mut self, item: Item<'a>) {
        let member = &self.request.members[item.index];
        let bits = self.request.layout.bits;
        if machine_bits(member.machine) != bits {
            let why = format!("is for {} bits, the layout for {bits}", machine_bits(member.machine));
            return self.ignored.push((member.path.clone(), why));
        }
        if let Some(band) = self.space.owner_of(&file_name(&member.path)) {
            return self.ignored.push((member.path.clone(), format!("has a band of its own: {}", band.why)));
        }
        if member.program {
            return self.ignored.push((member.path.clone(), "is a program: Windows places it first".into()));
        }
        let recorded = item.known.map_or(&[][..], |entry| &entry.constraints);
        let never = recorded.iter().chain(&member.constraints).any(|it| *it == Constraint::NeverMove);
        let why = match &member.movable {
            _ if never => "is never to be moved".to_owned(),
            Movable::Yes => return self.items.push(item),
            Movable::Stripped => "has no relocations".to_owned(),
            Movable::Clr => "is a .NET image, which its runtime places".to_owned(),
            Movable::Hybrid => "is a hybrid ARM64 image".to_owned(),
            Movable::Obstacle(why) => why.clone(),
        };
        self.obstacles.push(Obstacle {
            path: member.path.clone(),
            base: member.base,
            size: member.size,
            why,
        });
    }

    fn member(&self, item: &Item) -> &'a Member {
        &self.request.members[item.index]
    }

    fn shares_already(&self) -> bool {
        self.items.iter().any(|item| item.known.is_some_and(|entry| entry.shares))
    }

    /// Gives what found no place one over files that it is never loaded with.
    fn share(&self, chosen: &mut Arrangement, together: &Together) -> Vec<SharedPair> {
        let mut placed = Vec::new();
        let mut left = Vec::new();
        for (rank, item) in self.items.iter().enumerate() {
            match chosen.places[rank].and_then(|(base, slot)| AddressRange::sized(base, slot)) {
                Some(range) => placed.push(Placed { range, index: item.index, uses: item.uses }),
                None => left.push(rank),
            }
        }
        left.sort_by_key(|&rank| std::cmp::Reverse((self.items[rank].bytes, self.items[rank].uses)));
        let mut sharing = Sharing::new(together, &self.space.segments, &self.occupied, placed);
        for rank in left {
            let item = &self.items[rank];
            if let Some(base) = sharing.place(item) {
                chosen.places[rank] = Some((base, item.bytes));
                chosen.shares[rank] = true;
                chosen.unplaced_bytes -= item.bytes;
            }
        }
        sharing.pairs(|index| self.request.members[index].path.clone())
    }

    fn moves(&self, chosen: &Arrangement, kept: &[Option<Address>]) -> Vec<Move> {
        let why = self.reasons(chosen, kept);
        let mut moves: Vec<Move> = Vec::with_capacity(self.items.len());
        for (rank, item) in self.items.iter().enumerate() {
            let (Some((to, slot)), member) = (chosen.places[rank], self.member(item)) else { continue };
            let is_same = to == member.base && !chosen.shares[rank];
            moves.push(Move {
                path: member.path.clone(),
                links: member.links.clone(),
                hash: member.hash,
                machine: member.machine,
                from: member.base,
                to,
                size: member.size,
                slot,
                reason: if is_same { Reason::Stays } else { why.of(rank) },
                uses: item.uses,
            });
        }
        moves.sort_by(|a, b| (a.to, &a.path).cmp(&(b.to, &b.path)));
        moves
    }
}

//! How the iterations of loops, sections and single regions are given to the members of a team.
//!
//! Source: the OpenMP 2.0 specification, 2.4; <https://learn.microsoft.com/cpp/parallel/openmp/2-directives>.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::team::{current, with_member};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _vcomp_for_static_simple_init; full _vcomp_for_static_simple_init_i8;
    full _vcomp_for_static_init; full _vcomp_for_static_init_i8; full _vcomp_for_static_end;
    full _vcomp_for_dynamic_init; full _vcomp_for_dynamic_init_i8;
    full _vcomp_for_dynamic_next; full _vcomp_for_dynamic_next_i8;
    full _vcomp_sections_init; full _vcomp_sections_next;
    full _vcomp_single_begin; full _vcomp_single_end;
};

/// A loop whose iterations go to whoever comes: the number of loops begun, the iterations taken, how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shared {
    pub(super) begun: u64,
    taken: u64,
    count: u64,
    chunk: u64,
    is_guided: bool,
    first: i64,
    step: i64,
}

impl Shared {
    /// Takes the next piece: its first iteration and how many.
    fn take(&mut self, team_size: u64) -> Option<(u64, u64)> {
        let left = self.count - self.taken;
        if left == 0 {
            return None;
        }
        let wanted = if self.is_guided { (left / team_size).max(self.chunk) } else { self.chunk };
        let piece = (self.taken, wanted.clamp(1, left));
        self.taken += piece.1;
        Some(piece)
    }
}

/// Returns how many iterations a loop from `first` to `last` has.
fn iterations(first: i64, last: i64, step: i64) -> u64 {
    let distance = if step > 0 { last.wrapping_sub(first) } else { first.wrapping_sub(last) };
    if distance < 0 || step == 0 { 0 } else { distance as u64 / step.unsigned_abs() + 1 }
}

/// Returns the iterations of a member when all get about the same: the first one and how many.
fn even_part(count: u64, size: u64, number: u64) -> (u64, u64) {
    let (each, more) = (count / size, count % size);
    (number * each + number.min(more), each + u64::from(number < more))
}

/// The range of a member: its first value and its last; one step back where there is none.
fn simple(first: i64, last: i64, step: i64, is_up: bool) -> (i64, i64) {
    let (team, number) = current();
    let step = if is_up { step } else { step.wrapping_neg() };
    let (start, count) = even_part(iterations(first, last, step), team.size.into(), number.into());
    let begin = first.wrapping_add(step.wrapping_mul(start as i64));
    (begin, begin.wrapping_add(step.wrapping_mul(count as i64 - 1)))
}

/// What `_vcomp_for_static_init` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chunks {
    loops: u64,
    begin: i64,
    end: i64,
    next: i64,
    last_chunk: i64,
}

/// Deals chunks of a loop out like cards; the step is a distance without direction.
fn chunks(first: i64, last: i64, step: i64, chunk: i64, (size, number): (u64, u64)) -> Chunks {
    if step <= 0 {
        return Chunks { loops: 0, begin: 1, end: 0, next: 0, last_chunk: 0 };
    }
    if size == 1 && chunk != 1 {
        return Chunks { loops: 1, begin: first, end: last, next: 0, last_chunk: first };
    }
    let step = if last < first { -step } else { step };
    let chunk = chunk.max(1);
    let count = iterations(first, last, step).div_ceil(chunk as u64);
    let at = |index: u64| first.wrapping_add(step.wrapping_mul(chunk).wrapping_mul(index as i64));
    Chunks {
        loops: count / size + u64::from(number < count % size),
        begin: at(number),
        end: at(number).wrapping_add(step.wrapping_mul(chunk - 1)),
        next: step.wrapping_mul(chunk).wrapping_mul(size as i64),
        last_chunk: at(count.saturating_sub(1)),
    }
}

/// Bits of a dynamic loop's flags.
mod flag {
    pub(super) const KIND: u32 = 3;
    pub(super) const STATIC: u32 = 1;
    pub(super) const GUIDED: u32 = 3;
    pub(super) const UP: u32 = 0x40;
}

/// Begins a loop whose iterations go to whoever comes.
fn begin_dynamic(flags: u32, first: i64, last: i64, step: i64, chunk: i64) {
    with_member(|member| {
        member.dynamic += 1;
        let (begun, size) = (member.dynamic, u64::from(member.team.size));
        member.team.change(|state| {
            if state.dynamic.begun >= begun {
                return;
            }
            let step = if flags & flag::UP == 0 { step.wrapping_neg() } else { step };
            let count = iterations(first, last, step);
            let chunk = match flags & flag::KIND {
                flag::STATIC => count.div_ceil(size).max(1),
                _ => chunk.max(1) as u64,
            };
            let is_guided = flags & flag::KIND == flag::GUIDED;
            state.dynamic = Shared { begun, taken: 0, count, chunk, is_guided, first, step };
        });
    });
}

/// Takes the next piece of the loop: its first value and its last.
fn next_dynamic() -> Option<(i64, i64)> {
    with_member(|member| {
        let (begun, size) = (member.dynamic, member.team.size);
        let (shared, piece) = {
            let mut state = member.team.state();
            if state.dynamic.begun != begun {
                return None;
            }
            let piece = state.dynamic.take(size.into())?;
            (state.dynamic, piece)
        };
        let at = |index: u64| shared.first.wrapping_add(shared.step.wrapping_mul(index as i64));
        Some((at(piece.0), at(piece.0 + piece.1 - 1)))
    })
}

/// Defines a function of the compiler's for loops: text, name, parameters, result, body.
macro_rules! compiled {
    ($($doc:literal; $name:ident($guest:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {$(
        #[doc = $doc]
        ///
        /// Source: <https://learn.microsoft.com/cpp/parallel/openmp/2-directives>
        #[winapi(cdecl)]
        pub fn $name($guest: &mut Guest $(, $param: $type)*) -> Result<$result, Fault> $body
    )*};
}

/// The same loops with variables of four and of eight bytes.
macro_rules! loops {
    ($int:ty, $simple:ident $static:ident $dynamic:ident $next:ident) => {
        compiled! {
            "Gives a member its even part of a loop.";
            $simple(guest, first: $int, last: $int, step: $int, increment: u32, begin: GuestWord, end: GuestWord) -> () {
                let (from, to) = simple(first.into(), last.into(), step.into(), increment != 0);
                guest.write(begin.0, &(from as $int))?;
                guest.write(end.0, &(to as $int))
            }

            "Gives a member its chunks of a loop: how many, the first one, the distance to the next, the beginning of the last of all.";
            $static(guest, first: $int, last: $int, step: $int, chunksize: $int, loops: GuestWord,
                begin: GuestWord, end: GuestWord, next: GuestWord, lastchunk: GuestWord) -> () {
                let (team, number) = current();
                let member = (team.size.into(), number.into());
                let dealt = chunks(first.into(), last.into(), step.into(), chunksize.into(), member);
                guest.write(loops.0, &(dealt.loops as $int))?;
                for (at, value) in [(begin, dealt.begin), (end, dealt.end), (next, dealt.next), (lastchunk, dealt.last_chunk)] {
                    guest.write(at.0, &(value as $int))?;
                }
                Ok(())
            }

            "Begins a loop whose iterations go to whoever comes.";
            $dynamic(guest, flags: u32, first: $int, last: $int, step: $int, chunksize: $int) -> () {
                let _ = guest;
                begin_dynamic(flags, first.into(), last.into(), step.into(), chunksize.into());
                Ok(())
            }

            "Takes the next iterations of such a loop; 0 when there are none.";
            $next(guest, begin: GuestWord, end: GuestWord) -> u32 {
                let Some((from, to)) = next_dynamic() else { return Ok(0) };
                guest.write(begin.0, &(from as $int))?;
                guest.write(end.0, &(to as $int))?;
                Ok(1)
            }
        }
    };
}
loops! { i32, _vcomp_for_static_simple_init _vcomp_for_static_init _vcomp_for_dynamic_init _vcomp_for_dynamic_next }
loops! { i64, _vcomp_for_static_simple_init_i8 _vcomp_for_static_init_i8 _vcomp_for_dynamic_init_i8 _vcomp_for_dynamic_next_i8 }

compiled! {
    "Ends a loop: nothing is to be done."; _vcomp_for_static_end(guest) -> () {
        let _ = guest;
        Ok(())
    }

    "Begins so many sections."; _vcomp_sections_init(guest, n: i32) -> () {
        let _ = guest;
        with_member(|member| {
            member.sections += 1;
            let begun = member.sections;
            member.team.change(|state| {
                if state.sections.begun < begun {
                    let count = n.max(0) as u64;
                    state.sections = Shared { begun, count, chunk: 1, ..Shared::default() };
                }
            });
        });
        Ok(())
    }

    "Takes the next section; -1 when there is none."; _vcomp_sections_next(guest) -> i32 {
        let _ = guest;
        Ok(with_member(|member| {
            let mut state = member.team.state();
            match state.sections.begun == member.sections {
                true => state.sections.take(1).map_or(-1, |piece| piece.0 as i32),
                false => -1,
            }
        }))
    }

    "Says whether the calling thread is the one that does a single region."; _vcomp_single_begin(guest, flags: u32) -> u32 {
        let _ = (guest, flags);
        Ok(with_member(|member| {
            member.singles += 1;
            let mut state = member.team.state();
            let is_first = state.singles < member.singles;
            state.singles = state.singles.max(member.singles);
            u32::from(is_first)
        }))
    }

    "Ends a single region: nothing is to be done."; _vcomp_single_end(guest) -> () { _vcomp_for_static_end(guest) }
}

#[cfg(test)]
mod tests {
    use super::{Chunks, Shared, chunks, even_part, iterations};

    #[test]
    fn every_iteration_has_one_member() {
        for (count, size) in [(0, 4), (1, 4), (7, 4), (8, 4), (100, 3)] {
            let mut next = 0;
            for number in 0..size {
                let (start, length) = even_part(count, size, number);
                assert_eq!(start, next);
                next += length;
            }
            assert_eq!(next, count);
        }
        assert_eq!((iterations(0, 9, 3), iterations(9, 0, -2), iterations(1, 0, 1)), (4, 5, 0));
    }

    #[test]
    fn chunks_are_dealt_out() {
        let second = Chunks { loops: 2, begin: 2, end: 3, next: 4, last_chunk: 8 };
        assert_eq!(chunks(0, 9, 1, 2, (2, 1)), second);
        assert_eq!(chunks(0, 9, 1, 2, (2, 0)).loops, 3);
    }

    #[test]
    fn guided_pieces_shrink() {
        let mut shared = Shared { count: 100, chunk: 3, is_guided: true, ..Shared::default() };
        let mut sizes = Vec::new();
        while let Some((_, size)) = shared.take(4) {
            sizes.push(size);
        }
        assert_eq!(sizes.iter().sum::<u64>(), 100);
        assert_eq!((sizes[0], sizes.iter().rev().nth(1).copied()), (25, Some(3)));
    }
}

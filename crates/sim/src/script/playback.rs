//! A trace that can be gone through forwards and backwards, line by line: [`Playback`].

use std::collections::BTreeMap;

use crate::machine::Config;
use crate::script::history::{Difference, Done};
use crate::script::run::Outside;
use crate::script::{Checkpoint, Replay, ReplayError};

/// A state is kept after so many lines.
const EVERY: usize = 256;

/// A trace, and where in it one stands.
#[derive(Clone, Debug)]
pub struct Playback {
    lines: Vec<String>,
    kept: BTreeMap<usize, Replay>,
    replay: Replay,
    at: usize,
}

impl Playback {
    /// Starts before the first line.
    pub fn new(config: Config, checkpoints: Vec<Checkpoint>, text: &str) -> Self {
        let replay = Replay::of(config, checkpoints, text);
        let lines = text.lines().map(str::to_owned).collect();
        Self { lines, kept: BTreeMap::from([(0, replay.clone())]), replay, at: 0 }
    }

    /// Returns how many lines were carried out to reach this state.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Returns how many lines the trace has.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Says whether the trace is empty.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns the replay as it stands.
    pub fn replay(&self) -> &Replay {
        &self.replay
    }

    /// Carries the next line out; `None` at the end.
    ///
    /// # Errors
    /// [`ReplayError`] with the line.
    pub fn step(&mut self, outside: &mut dyn Outside) -> Result<Option<Done>, ReplayError> {
        let Some(text) = self.lines.get(self.at) else { return Ok(None) };
        let known = self.replay.differences.len();
        self.replay.line(text, outside)?;
        self.at += 1;
        let events = self.replay.machine.take_events();
        if self.at.is_multiple_of(EVERY) {
            self.kept.entry(self.at).or_insert_with(|| self.replay.clone());
        }
        let new = self.replay.differences.get(known..).unwrap_or_default();
        let output =
            new.iter().map(|(_, _, recorded, model)| format!("recorded {recorded}, model {model}\n"));
        Ok(Some(Done { text: text.clone(), output: output.collect(), events, error: None }))
    }

    /// Goes to the state after `target` lines, forwards or backwards; false past the end.
    ///
    /// # Errors
    /// [`ReplayError`] with the line that stops it.
    pub fn jump(&mut self, target: usize, outside: &mut dyn Outside) -> Result<bool, ReplayError> {
        if target > self.lines.len() {
            return Ok(false);
        }
        // A state kept nearer to the target than this one, on either side.
        if let Some((at, replay)) = self.kept.range(..=target).next_back()
            && (target < self.at || *at > self.at)
        {
            (self.at, self.replay) = (*at, replay.clone());
        }
        while self.at < target {
            self.step(outside)?;
        }
        Ok(true)
    }

    /// Compares the states after `a` and after `b` lines; the current place stays. `None` past the end.
    ///
    /// # Errors
    /// As [`Self::jump`].
    pub fn diff(
        &mut self,
        a: usize,
        b: usize,
        outside: &mut dyn Outside,
    ) -> Result<Option<Difference>, ReplayError> {
        let (here, mut states) = (self.at, Vec::new());
        for target in [a, b] {
            if !self.jump(target, outside)? {
                return Ok(None);
            }
            states.push(self.replay.machine.clone());
        }
        self.jump(here, outside)?;
        Ok(Some(Difference::between(&states[0], &states[1])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::NoFiles;

    const TRACE: &str = "\
7 mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7ffff7ffd000
7 mprotect(0x7ffff7ffe000, 4096, PROT_READ) = 0
7 munmap(0x7ffff7ffd000, 4096) = 0
7 mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x1000
";

    fn maps(playback: &Playback) -> Vec<String> {
        playback.replay().machine.maps_lines(7)
    }

    #[test]
    fn back_and_forth_gives_the_same_states() {
        let mut playback = Playback::new(Config::default(), Vec::new(), &TRACE.repeat(200));
        let mut states = vec![Vec::new()];
        while playback.step(&mut NoFiles).expect("a trace").is_some() {
            states.push(maps(&playback));
        }
        assert_eq!((playback.at(), playback.len(), states.len()), (800, 800, 801));
        for target in [799, 3, 600, 512, 255, 257, 0, 800, 1] {
            assert!(playback.jump(target, &mut NoFiles).expect("a trace"));
            assert_eq!((playback.at(), maps(&playback)), (target, states[target].clone()), "{target}");
        }
        assert!(!playback.jump(801, &mut NoFiles).expect("a trace"));
    }

    #[test]
    fn a_result_that_differs_is_told_with_its_line() {
        let mut playback = Playback::new(Config::default(), Vec::new(), TRACE);
        playback.jump(3, &mut NoFiles).expect("a trace");
        let done = playback.step(&mut NoFiles).expect("a trace").expect("a line");
        assert_eq!(done.output, "recorded 0x1000, model 0x7ffff7ffd000\n");
        playback.jump(0, &mut NoFiles).expect("a trace");
        let diff = playback.diff(1, 2, &mut NoFiles).expect("a trace").expect("two lines");
        assert_eq!(playback.at(), 0);
        assert_eq!(diff.removed, ["process 7: 7ffff7ffd000-7ffff7fff000 rw-p 00000000"]);
        assert_eq!(diff.added.len(), 2);
    }
}

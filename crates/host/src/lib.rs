//! Linux: arenas, gate, signals, threads, files. All unsafe code is here.

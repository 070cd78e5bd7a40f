//! The published Windows 7-Zip (`7za.exe`, 21.07, both bitnesses) under `plat run`, judged by 7-Zip for Linux from the
//! same package (p7zip 16.02: other bytes in an archive, the same contents). `./test` brings the package into `.cache/`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A directory with a tree to pack, and the two 7-Zips: `windows` under plat and `linux` beside it.
struct Scene {
    directory: tempfile::TempDir,
    windows: PathBuf,
    linux: PathBuf,
}

impl Scene {
    /// Prepares a scene with the Windows build of `folder`, `x64` or `ia32`.
    fn new(folder: &str) -> Scene {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the root");
        let package = root.join(".cache/7zip-bin-5.2.0/package");
        let linux = package.join("linux/x64/7za");
        assert!(linux.exists(), "7-Zip's package is not in .cache/: run ./test, which fetches it");
        // npm's archives carry no permission to execute.
        fs::set_permissions(&linux, fs::Permissions::from_mode(0o755)).expect("chmod 7za");
        let scene = Scene {
            directory: tempfile::tempdir().expect("a temporary directory"),
            windows: package.join("win").join(folder).join("7za.exe"),
            linux,
        };
        make_tree(&scene.path("tree"));
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn start(&self, mut command: Command, arguments: &[&str]) -> Output {
        command.args(arguments).current_dir(self.directory.path()).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        command.output().expect("7-Zip starts")
    }

    /// Runs the Windows build under plat.
    fn plat(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plat"));
        command.arg("run").arg(&self.windows);
        self.start(command, arguments)
    }

    /// Runs the Linux build.
    fn linux(&self, arguments: &[&str]) -> Output {
        self.start(Command::new(&self.linux), arguments)
    }
}

/// Writes files of every awkward kind: empty, non-ASCII, deep, random, compressible, with blanks.
fn make_tree(tree: &Path) {
    let deep = (0..20).fold(tree.to_path_buf(), |path, level| path.join(format!("level {level}")));
    for folder in [deep.clone(), tree.join("empty dir"), tree.join("ünïcode 中文"), tree.join("emoji 😀")]
    {
        fs::create_dir_all(folder).expect("a directory of the tree");
    }
    let mut state = 12345u32;
    let noise = (0..300_000).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let text =
        (0..40_000).map(|n| format!("line {} of a text that packs well\n", n * n % 977)).collect::<String>();
    for (name, bytes) in [
        (tree.join("empty"), Vec::new()),
        (tree.join("one"), vec![7]),
        (tree.join("noise.bin"), noise.collect()),
        (tree.join("text.txt"), text.into_bytes()),
        (tree.join("zeros"), vec![0; 2 << 20]),
        (tree.join("ünïcode 中文/файл.txt"), b"Cyrillic".to_vec()),
        (tree.join("emoji 😀/ß.dat"), b"sharp s".to_vec()),
        (deep.join("at the bottom.txt"), b"deep".to_vec()),
    ] {
        fs::write(name, bytes).expect("a file of the tree");
    }
}

/// Returns each file's bytes and each directory, by path below `tree`.
fn read_tree(tree: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let (mut found, mut open) = (BTreeMap::new(), vec![tree.to_path_buf()]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display())) {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(tree).expect("below the tree").to_path_buf();
            if path.is_dir() {
                found.insert(name, None);
                open.push(path);
            } else {
                found.insert(name, Some(fs::read(&path).expect("a readable file")));
            }
        }
    }
    found
}

#[track_caller]
fn assert_exit(output: &Output, code: i32) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "\nstdout:\n{out}\nstderr:\n{err}");
}

/// Returns path, size, CRC and time of each item, from `l -slt`; separators are made alike.
fn items(output: &Output) -> Vec<BTreeMap<String, String>> {
    let text = String::from_utf8(output.stdout.clone()).expect("-sccUTF-8 gives UTF-8").replace('\r', "");
    let (_, list) = text.split_once("----------\n").unwrap_or_else(|| panic!("no list:\n{text}"));
    let mut items: Vec<BTreeMap<String, String>> = Vec::new();
    for block in list.split("\n\n").filter(|b| b.contains("Path = ")) {
        let pairs = block.lines().filter_map(|l| l.split_once(" ="));
        let wanted = pairs.filter(|(key, _)| ["Path", "Size", "CRC", "Modified"].contains(key));
        // 21.07 shows fractions of a second, 16.02 does not.
        let value = |key: &str, v: &str| {
            if key == "Modified" { v.split('.').next().unwrap_or("") } else { v }.to_string()
        };
        items.push(wanted.map(|(k, v)| (k.to_string(), value(k, v).trim().replace('\\', "/"))).collect());
    }
    items.sort_by(|a, b| a["Path"].cmp(&b["Path"]));
    items
}

fn packs_and_unpacks(folder: &str, threads: &str) {
    let scene = Scene::new(folder);
    assert_exit(&scene.plat(&["a", "-mx5", threads, "o.7z", "tree"]), 0);
    assert_exit(&scene.plat(&["t", threads, "o.7z"]), 0);
    assert_exit(&scene.linux(&["t", "o.7z"]), 0);
    assert_exit(&scene.plat(&["x", threads, "-oout", "o.7z"]), 0);
    assert_exit(&scene.linux(&["x", "-onative", "o.7z"]), 0);
    let tree = read_tree(&scene.path("tree"));
    assert!(tree.len() > 25, "the tree is there");
    assert_eq!(read_tree(&scene.path("out/tree")), tree, "unpacked under plat");
    assert_eq!(read_tree(&scene.path("native/tree")), tree, "unpacked by the Linux build");
}

fn unpacks_what_linux_packed(folder: &str) {
    let scene = Scene::new(folder);
    assert_exit(&scene.linux(&["a", "-mx5", "n.7z", "tree"]), 0);
    assert_exit(&scene.plat(&["x", "-oout", "n.7z"]), 0);
    assert_eq!(read_tree(&scene.path("out/tree")), read_tree(&scene.path("tree")));
}

fn lists_like_linux(folder: &str) {
    let scene = Scene::new(folder);
    assert_exit(&scene.plat(&["a", "-mx1", "o.7z", "tree"]), 0);
    let list = ["l", "-slt", "-sccUTF-8", "o.7z"];
    let (ours, theirs) = (scene.plat(&list), scene.linux(&["l", "-slt", "o.7z"]));
    assert_exit(&ours, 0);
    let ours = items(&ours);
    assert!(ours.iter().any(|i| i["Path"] == "tree/ünïcode 中文/файл.txt"), "{ours:?}");
    assert_eq!(ours, items(&theirs));
}

fn hashes_like_linux(folder: &str) {
    let scene = Scene::new(folder);
    // The sum over data is the same whatever the order; 21.07 appends a carry of 8 digits, and writes small letters.
    let sums = |output: &Output| {
        let text = String::from_utf8_lossy(&output.stdout).to_lowercase();
        let line =
            text.lines().find(|l| l.contains("for data:")).unwrap_or_else(|| panic!("no sum:\n{text}"));
        line.split_whitespace().last().expect("a word").chars().take(64).collect::<String>()
    };
    let (ours, theirs) =
        (scene.plat(&["h", "-scrcSHA256", "tree"]), scene.linux(&["h", "-scrcSHA256", "tree"]));
    assert_exit(&ours, 0);
    assert_eq!(sums(&ours), sums(&theirs));
}

fn benchmarks(folder: &str) {
    let scene = Scene::new(folder);
    for threads in ["-mmt=1", "-mmt=2"] {
        let output = scene.plat(&["b", "1", "-md=18", threads]);
        assert_exit(&output, 0);
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("Tot:"),
            "the benchmark ends with its total"
        );
    }
}

/// Compares exit codes with the Linux build's and looks for 7-Zip's own words, in either stream; nothing of plat's.
#[track_caller]
fn same_failure(scene: &Scene, arguments: &[&str], words: &str) {
    let (ours, theirs) = (scene.plat(arguments), scene.linux(arguments));
    let text = format!("{}{}", String::from_utf8_lossy(&ours.stdout), String::from_utf8_lossy(&ours.stderr));
    assert_eq!(ours.status.code(), theirs.status.code(), "{arguments:?}:\n{text}");
    assert_ne!(ours.status.code(), Some(0), "{arguments:?} must fail");
    assert!(text.contains(words), "{arguments:?} must say {words:?}:\n{text}");
    let plats_own =
        text.lines().any(|line| line.starts_with("plat:") || line.contains("unhandled exception"));
    assert!(!plats_own, "{arguments:?}:\n{text}");
}

fn fails_like_linux(folder: &str) {
    let scene = Scene::new(folder);
    fs::write(scene.path("wrong.7z"), "this is no archive").expect("a wrong archive");
    same_failure(&scene, &["t", "wrong.7z"], "open the file as");
    same_failure(&scene, &["t", "missing.7z"], "missing.7z");
    same_failure(&scene, &["a", "o.7z", "missing.txt"], "missing.txt");
    same_failure(&scene, &["nonsense"], "Unsupported command");
    assert_exit(&scene.linux(&["a", "good.7z", "tree"]), 0);
    let mut bytes = fs::read(scene.path("good.7z")).expect("an archive");
    bytes.truncate(bytes.len() / 2);
    fs::write(scene.path("cut.7z"), &bytes).expect("a cut archive");
    same_failure(&scene, &["t", "cut.7z"], "cut.7z");
    // The archive's name below a file, not a directory: nobody can write there, not even root.
    same_failure(&scene, &["a", "tree/one/o.7z", "tree/text.txt"], "ERROR");
}

fn read_only_target_fails_like_linux(folder: &str) {
    let scene = Scene::new(folder);
    assert_exit(&scene.linux(&["a", "good.7z", "tree"]), 0);
    // `/proc/self` has directories that refuse every new name, also root's.
    same_failure(&scene, &["x", "-y", "-o/proc/sys/kernel", "good.7z"], "ERROR");
}

/// A tmpfs of 64 KiB, in a mount namespace of its own; needs root or user namespaces.
fn full_disk_fails_like_linux(folder: &str) {
    let scene = Scene::new(folder);
    assert_exit(&scene.linux(&["a", "good.7z", "tree"]), 0);
    let inside = |program: &str| {
        let script = format!(
            "mkdir -p full && mount -t tmpfs -o size=64k none full && exec {program} x -y -ofull good.7z"
        );
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
        scene.start(command, &[&script])
    };
    let theirs = inside(&format!("'{}'", scene.linux.display()));
    assert_exit(&theirs, 2);
    let ours = inside(&format!("'{}' run '{}'", env!("CARGO_BIN_EXE_plat"), scene.windows.display()));
    assert_exit(&ours, 2);
    let text = format!("{}{}", String::from_utf8_lossy(&ours.stdout), String::from_utf8_lossy(&ours.stderr));
    // Windows' text for ERROR_DISK_FULL, as FormatMessage gives it to 7-Zip.
    assert!(text.contains("There is not enough space on the disk"), "{text}");
}

macro_rules! both {
    ($($module:ident $folder:literal)*) => {$(
        mod $module {
            #[test] fn packs_and_unpacks_on_one_thread() { super::packs_and_unpacks($folder, "-mmt=1"); }
            #[test] fn packs_and_unpacks_on_two_threads() { super::packs_and_unpacks($folder, "-mmt=2"); }
            #[test] fn unpacks_what_linux_packed() { super::unpacks_what_linux_packed($folder); }
            #[test] fn lists_like_linux() { super::lists_like_linux($folder); }
            #[test] fn hashes_like_linux() { super::hashes_like_linux($folder); }
            #[test] fn benchmarks() { super::benchmarks($folder); }
            #[test] fn fails_like_linux() { super::fails_like_linux($folder); }
            #[test] fn read_only_target_fails_like_linux() { super::read_only_target_fails_like_linux($folder); }
            #[test] fn full_disk_fails_like_linux() { super::full_disk_fails_like_linux($folder); }
        }
    )*};
}

both! { x64 "x64" ia32 "ia32" }

//! Only decompresses the files of a folder, as `replay` does before it looks at anything: with the same library, the same
//! buffers and as many threads. What `make bench` holds replay against. Usage: inflate [-j N] FOLDER

use std::env;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use flate2::bufread::MultiGzDecoder;

const CHUNK: usize = 64 * 1024;
const WINDOW: usize = 256 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (jobs, folder) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["-j", jobs, folder] => (jobs.parse().unwrap_or(1), folder.to_owned()),
        [folder] => (thread::available_parallelism().map_or(1, usize::from), folder.to_owned()),
        _ => return ExitCode::from(2),
    };
    let total = files(&folder).and_then(|files| inflate(&files, jobs));
    let said = total.map(|total| writeln!(io::stdout(), "{total} bytes"));
    if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The files, the longest first.
fn files(folder: &str) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|ending| ending == "gz") {
            files.push((entry.metadata()?.len(), entry.path()));
        }
    }
    files.sort();
    Ok(files.into_iter().rev().map(|(_, path)| path).collect())
}

fn inflate(files: &[PathBuf], jobs: usize) -> io::Result<u64> {
    let (next, total) = (AtomicUsize::new(0), AtomicU64::new(0));
    let work = || -> io::Result<()> {
        let mut window = vec![0; WINDOW];
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut content = MultiGzDecoder::new(BufReader::with_capacity(CHUNK, File::open(file)?));
            loop {
                let read = content.read(&mut window)?;
                if read == 0 {
                    break;
                }
                total.fetch_add(read as u64, Ordering::Relaxed);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..jobs).map(|_| scope.spawn(work)).collect();
        let own = work();
        let joined = others.into_iter().map(|other| other.join().unwrap_or(Ok(())));
        joined.fold(own, Result::and)
    })?;
    Ok(total.into_inner())
}

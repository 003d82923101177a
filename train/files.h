// Files written whole or not at all, and errors in the words of the system.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace normlab {

// A file that appears under its name only when it is complete: bytes go to "<path>.part" beside it, and commit() makes
// them durable (fsync) and renames. Destroyed before commit(), it leaves what was at `path` untouched and takes its
// part file away; a killed process leaves at most a part file, which the next writer of the same path overwrites.
// Every failure is a MachineError that names the file, what was tried and why it failed.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* bytes, std::size_t count);
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path part_;
  int descriptor_;
};

// Writes a whole file as AtomicFile does.
void write_file(const std::filesystem::path& path, std::string_view bytes);

// Gives a finished file its name: makes it durable and renames it, as AtomicFile::commit does, for a file that another
// program has written. The folder of `path` is made where it is missing.
void move_into_place(const std::filesystem::path& part, const std::filesystem::path& path);

// A file one line at a time: each line is handed to the system in one piece, so that a killed process leaves at most
// one torn line, at the end. Failures are MachineErrors.
class AppendFile {
 public:
  explicit AppendFile(const std::filesystem::path& path);  // made when it does not exist
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void write_line(std::string line);  // the newline is added
  void sync();                        // waits until all lines are on the disk

 private:
  std::filesystem::path path_;
  int descriptor_;
};

// The whole content. Error when there is no such file or it may not be read; MachineError when reading fails.
std::string read_file(const std::filesystem::path& path);

// Makes the directory and its parents where they are missing and tries to write in it. Error that says why when it
// cannot be; MachineError on a full disk.
void require_writable_directory(const std::filesystem::path& directory);

}  // namespace normlab

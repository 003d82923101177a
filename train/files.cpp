// Files by way of the system's own calls, since the standard streams neither fsync nor say why something failed.
#include "files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "../engine/error.h"

namespace normlab {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

[[noreturn]] void fail(const std::filesystem::path& path, const char* what, int error) {
  throw MachineError(text(path.string(), ": cannot ", what, ": ", reason(error)));
}

// Hands all bytes to the system; returns the error number, 0 when all went well.
int write_all(int descriptor, const char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t written = ::write(descriptor, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes += written;
    count -= static_cast<std::size_t>(written);
  }
  return 0;
}

// A rename is durable once its directory is. Not every file system can do this, so a refusal is not a failure.
void sync_directory_of(const std::filesystem::path& path) {
  const std::filesystem::path directory = path.has_parent_path() ? path.parent_path() : ".";
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

// The part file of `path`, empty, once no other process writes it: it is locked until it is closed. Who has waited for
// another finds that its file has been renamed or removed meanwhile, and makes one anew.
int opened_alone(const std::filesystem::path& path, const std::filesystem::path& part) {
  for (;;) {
    const int descriptor = ::open(part.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) fail(path, "be written", errno);
    while (::flock(descriptor, LOCK_EX) != 0 && errno == EINTR) {
    }
    struct stat ours, named;
    const bool still_there = ::fstat(descriptor, &ours) == 0 && ::stat(part.c_str(), &named) == 0 &&
                             ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
    if (still_there && ::ftruncate(descriptor, 0) == 0) return descriptor;
    const int error = errno;
    ::close(descriptor);
    if (still_there) fail(path, "be written", error);
  }
}

}  // namespace

AtomicFile::AtomicFile(const std::filesystem::path& path) : path_(path), part_(path), descriptor_(-1) {
  part_ += ".part";
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    throw MachineError(text(path_.string(), ": cannot be written: it exists and is not a regular file"));
  }
  descriptor_ = opened_alone(path_, part_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(part_.c_str());
}

void AtomicFile::write(const void* bytes, std::size_t count) {
  if (const int error = write_all(descriptor_, static_cast<const char*>(bytes), count)) {
    fail(path_, "be written", error);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail(path_, "be written to the disk", errno);
  if (::rename(part_.c_str(), path_.c_str()) != 0) fail(path_, "be renamed from its part file", errno);
  ::close(descriptor_);
  descriptor_ = -1;
  sync_directory_of(path_);
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void move_into_place(const std::filesystem::path& part, const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) fail(path.parent_path(), "be made", error.value());
  const int descriptor = ::open(part.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(part, "be read", errno);
  const int failure = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (failure != 0) fail(part, "be written to the disk", failure);
  if (::rename(part.c_str(), path.c_str()) != 0) fail(path, text("be renamed from ", part.string()).c_str(), errno);
  sync_directory_of(path);
}

AppendFile::AppendFile(const std::filesystem::path& path)
    : path_(path), descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) fail(path_, "be opened for writing", errno);
}

AppendFile::~AppendFile() { ::close(descriptor_); }

void AppendFile::write_line(std::string line) {
  line += '\n';
  if (const int error = write_all(descriptor_, line.data(), line.size())) fail(path_, "be written", error);
}

void AppendFile::sync() {
  if (::fsync(descriptor_) != 0) fail(path_, "be written to the disk", errno);
}

std::string read_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw Error(text(path.string(), ": cannot be opened: ", reason(errno)));
  std::string bytes;
  char buffer[1 << 16];
  ssize_t count = 0;
  do {
    count = ::read(descriptor, buffer, sizeof buffer);
    if (count > 0) bytes.append(buffer, static_cast<std::size_t>(count));
  } while (count > 0 || (count < 0 && errno == EINTR));
  const int error = count < 0 ? errno : 0;
  ::close(descriptor);
  if (error == EISDIR) throw Error(text(path.string(), ": cannot be read: ", reason(error)));
  if (error != 0) fail(path, "be read", error);
  return bytes;
}

void require_writable_directory(const std::filesystem::path& directory) {
  const auto refuse = [&](const char* what, int error) {
    const std::string message = text(directory.string(), ": ", what, ": ", reason(error));
    if (error == ENOSPC || error == EDQUOT || error == EIO) throw MachineError(message);
    throw Error(message + "; choose a folder that you may write to");
  };
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) refuse("cannot make this folder", error.value());
  const std::filesystem::path probe = directory / ".writable.part";
  const int descriptor = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) refuse("cannot write into this folder", errno);
  const int failure = write_all(descriptor, "?", 1);
  ::close(descriptor);
  ::unlink(probe.c_str());
  if (failure != 0) refuse("cannot write into this folder", failure);
}

}  // namespace normlab

// FolderLock by flock: see the header.
#include "folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <thread>

#include "../engine/error.h"
#include "files.h"

namespace normlab {

FolderLock::FolderLock(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / ".lock";
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    throw MachineError(text(file.string(), ": cannot be opened: ", std::generic_category().message(errno)));
  }
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR)) {
    if (std::chrono::steady_clock::now() > patience) {
      ::close(descriptor_);
      throw Error(text(folder.string(), ": process ", read_file(file),
                       " is writing into this folder; wait until it is done or stop it, or choose another with --out"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const std::string own = std::to_string(::getpid());
  // Only the message of another process would lack the number.
  if (::ftruncate(descriptor_, 0) != 0 || ::write(descriptor_, own.data(), own.size()) < 0) return;
}

FolderLock::~FolderLock() { ::close(descriptor_); }

}  // namespace normlab

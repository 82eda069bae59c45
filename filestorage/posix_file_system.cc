#include "filestorage/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace zrs::filestorage {
namespace {

// The kernel moves at most 0x7ffff000 bytes at once.
constexpr size_t kMostPerCall = size_t{1} << 30;

// So many bytes written one behind the other go to the disk while more are written, so that the sync at the end has
// little left to wait for.
constexpr uint64_t kWriteBehind = 4 << 20;

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::StatusCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    case ENOSPC:
    case EDQUOT:
      return absl::StatusCode::kResourceExhausted;
    case EMFILE:
    case ENFILE:
      return absl::StatusCode::kAborted;
    case ELOOP:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kDataLoss;
  }
}

absl::string_view AdviceFor(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "; check the path";
    case EACCES:
    case EPERM:
      return "; check owner and permissions of the file and of its directories";
    case EROFS:
      return "; mount the file system writable";
    case ENOSPC:
    case EDQUOT:
      return "; free space there";
    case EMFILE:
    case ENFILE:
      return "; raise the limit of open files";
    case ELOOP:
      return "; a symbolic link leads to itself, or is none that is followed here: put the file itself there";
    case EIO:
      return "; look for disk errors in the kernel's log";
    default:
      return "";
  }
}

// `what` is operation and path, with the offset where there is one.
absl::Status ErrorOf(int error, absl::string_view what) {
  return absl::Status(CodeOf(error),
                      absl::StrCat(what, ": ", std::generic_category().message(error), AdviceFor(error)));
}

// A sync that failed may have lost anything, so it is never one of the errors that heal.
absl::Status SyncErrorOf(int error, absl::string_view what) {
  return absl::DataLossError(ErrorOf(error, what).message());
}

// Calls `call` again while a signal interrupts it.
template <typename Call>
auto Retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

std::string OrUnchanged(const std::optional<uint32_t>& id) { return id ? absl::StrCat(*id) : "(unchanged)"; }

FileInfo InfoOf(const struct stat& stat) {
  return {.size = static_cast<uint64_t>(stat.st_size),
          .device = stat.st_dev,
          .inode = stat.st_ino,
          .mode = stat.st_mode & 07777,
          .owner = stat.st_uid,
          .group = stat.st_gid,
          .is_regular = S_ISREG(stat.st_mode),
          .is_link = S_ISLNK(stat.st_mode)};
}

class PosixFile final : public File {
 public:
  PosixFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  // Nothing hangs on close's result: what matters was synced.
  ~PosixFile() override { ::close(descriptor_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> out) override {
    size_t done = 0;
    while (done < out.size()) {
      const size_t size = std::min(out.size() - done, kMostPerCall);
      const ssize_t read =
          Retry([&] { return ::pread(descriptor_, out.data() + done, size, static_cast<off_t>(offset + done)); });
      if (read < 0) return ErrorOf(errno, absl::StrCat("reading ", path_, " at ", offset + done));
      if (read == 0) break;
      done += static_cast<size_t>(read);
    }
    return done;
  }

  absl::Status WriteAt(uint64_t offset, absl::string_view data) override {
    const uint64_t begin = offset;
    while (!data.empty()) {
      const size_t size = std::min(data.size(), kMostPerCall);
      const ssize_t written =
          Retry([&] { return ::pwrite(descriptor_, data.data(), size, static_cast<off_t>(offset)); });
      if (written < 0) return ErrorOf(errno, absl::StrCat("writing ", path_, " at ", offset));
      data.remove_prefix(static_cast<size_t>(written));
      offset += static_cast<uint64_t>(written);
    }
    WriteBehind(begin, offset);
    return absl::OkStatus();
  }

  absl::Status Truncate(uint64_t size) override {
    if (Retry([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) == 0) return absl::OkStatus();
    return ErrorOf(errno, absl::StrCat("truncating ", path_, " to ", size));
  }

  absl::Status Sync() override {
    if (behind_error_ != 0) return SyncErrorOf(behind_error_, absl::StrCat("syncing ", path_));
    if (Retry([&] { return ::fdatasync(descriptor_); }) == 0) return absl::OkStatus();
    return SyncErrorOf(errno, absl::StrCat("syncing ", path_));
  }

  absl::StatusOr<FileInfo> Stat() override {
    struct stat stat;
    if (::fstat(descriptor_, &stat) != 0) return ErrorOf(errno, absl::StrCat("examining ", path_));
    return InfoOf(stat);
  }

  absl::Status SetAccess(const FileAccess& access) override {
    constexpr auto kUnchanged = static_cast<uint32_t>(-1);
    const uint32_t owner = access.owner.value_or(kUnchanged);
    const uint32_t group = access.group.value_or(kUnchanged);
    // The owner first: a change of it takes bits away.
    if ((owner != kUnchanged || group != kUnchanged) && ::fchown(descriptor_, owner, group) != 0) {
      return ErrorOf(errno, absl::StrCat("giving ", path_, " to user ", OrUnchanged(access.owner), " and group ",
                                         OrUnchanged(access.group)));
    }
    if (!access.mode || ::fchmod(descriptor_, *access.mode) == 0) return absl::OkStatus();
    return ErrorOf(errno, absl::StrCat("setting the permissions of ", path_));
  }

  absl::Status LockExclusively() override {
    if (Retry([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB); }) == 0) return absl::OkStatus();
    const int error = errno;
    const std::string what = absl::StrCat("locking ", path_);
    if (error == EWOULDBLOCK) return absl::UnavailableError(absl::StrCat(what, ": another process has locked it"));
    return ErrorOf(error, what);
  }

  const std::string& path() const override { return path_; }

 private:
  // [begin, end) was written. Promises nothing: what comes of it is told by the next sync.
  void WriteBehind(uint64_t begin, uint64_t end) {
    if (begin != behind_end_) behind_begin_ = begin;
    behind_end_ = end;
    if (behind_end_ - behind_begin_ < kWriteBehind) return;
    const int result = ::sync_file_range(descriptor_, static_cast<off_t>(behind_begin_),
                                         static_cast<off_t>(behind_end_ - behind_begin_), SYNC_FILE_RANGE_WRITE);
    behind_begin_ = behind_end_;
    // The kernel may tell of a failed write here instead of there. (Not every file system knows this call.)
    if (result != 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT)) behind_error_ = errno;
  }

  const int descriptor_;
  const std::string path_;
  uint64_t behind_begin_ = 0;  // what was written last and is not on its way to the disk yet
  uint64_t behind_end_ = 0;
  int behind_error_ = 0;
};

class Posix final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<File>> OpenForReading(const std::string& path) override {
    return Open("opening", path, O_RDONLY, 0);
  }
  absl::StatusOr<std::unique_ptr<File>> OpenForWriting(const std::string& path) override {
    return Open("opening for writing", path, O_RDWR, 0);
  }
  absl::StatusOr<std::unique_ptr<File>> OpenOrCreate(const std::string& path, uint32_t mode) override {
    return Open("opening or creating", path, O_RDWR | O_CREAT | O_NOFOLLOW, mode);
  }
  absl::StatusOr<std::unique_ptr<File>> CreateExclusively(const std::string& path, uint32_t mode) override {
    return Open("creating", path, O_RDWR | O_CREAT | O_EXCL, mode);
  }

  absl::StatusOr<FileInfo> Stat(const std::string& path) override {
    struct stat stat;
    if (::stat(path.c_str(), &stat) != 0) return ErrorOf(errno, absl::StrCat("examining ", path));
    return InfoOf(stat);
  }

  absl::StatusOr<FileInfo> StatName(const std::string& path) override {
    struct stat stat;
    if (::lstat(path.c_str(), &stat) != 0) return ErrorOf(errno, absl::StrCat("examining ", path));
    return InfoOf(stat);
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
    return ErrorOf(errno, absl::StrCat("renaming ", from, " to ", to));
  }

  absl::Status Link(const std::string& from, const std::string& to) override {
    if (::link(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
    return ErrorOf(errno, absl::StrCat("linking ", from, " to ", to));
  }

  absl::Status Remove(const std::string& path) override {
    if (::unlink(path.c_str()) == 0) return absl::OkStatus();
    return ErrorOf(errno, absl::StrCat("removing ", path));
  }

  absl::Status SyncDirectory(const std::string& directory) override {
    const std::string what = absl::StrCat("syncing the directory ", directory);
    const int descriptor = Retry([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (descriptor < 0) return ErrorOf(errno, what);
    const int error = Retry([&] { return ::fsync(descriptor); }) == 0 ? 0 : errno;
    ::close(descriptor);
    return error == 0 ? absl::OkStatus() : SyncErrorOf(error, what);
  }

  absl::Status CreateDirectories(const std::string& directory, uint32_t mode) override {
    if (::mkdir(directory.c_str(), mode) == 0) return absl::OkStatus();
    int error = errno;
    const std::string parent = DirectoryOf(directory);
    if (error == ENOENT && parent != directory) {
      if (absl::Status status = CreateDirectories(parent, mode); !status.ok()) return status;
      error = ::mkdir(directory.c_str(), mode) == 0 ? 0 : errno;
    }
    if (error == 0) return absl::OkStatus();
    struct stat stat;
    if (error == EEXIST && ::stat(directory.c_str(), &stat) == 0 && S_ISDIR(stat.st_mode)) return absl::OkStatus();
    return ErrorOf(error, absl::StrCat("creating the directory ", directory));
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override {
    const std::string what = absl::StrCat("listing the directory ", directory);
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), &::closedir);
    if (stream == nullptr) return ErrorOf(errno, what);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream.get())) {
      const absl::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    if (errno != 0) return ErrorOf(errno, what);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::StatusOr<uint64_t> FreeBytes(const std::string& directory) override {
    struct statvfs stat;
    if (Retry([&] { return ::statvfs(directory.c_str(), &stat); }) != 0) {
      return ErrorOf(errno, absl::StrCat("examining the disk of ", directory));
    }
    return uint64_t{stat.f_bavail} * stat.f_frsize;
  }

 private:
  static absl::StatusOr<std::unique_ptr<File>> Open(absl::string_view operation, const std::string& path, int flags,
                                                    uint32_t mode) {
    const int descriptor = Retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, mode); });
    if (descriptor < 0) return ErrorOf(errno, absl::StrCat(operation, " ", path));
    return std::make_unique<PosixFile>(descriptor, path);
  }
};

}  // namespace

FileSystem& PosixFileSystem() {
  static Posix* const file_system = new Posix;
  return *file_system;
}

}  // namespace zrs::filestorage

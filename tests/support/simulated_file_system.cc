#include "tests/support/simulated_file_system.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace zrs::tests {
namespace {

using filestorage::File;
using filestorage::FileInfo;
using Kind = SimulatedOperation::Kind;

constexpr uint64_t kNumbering = 1'000'000;  // more than there are inodes

absl::Status NoSuchFile(absl::string_view what, const std::string& path) {
  return absl::NotFoundError(absl::StrCat(what, " ", path, ": no such file or directory (simulated)"));
}

SimulatedOperation OnName(Kind kind, const std::string& path, const std::string& to = "") {
  return {.kind = kind, .path = path, .to = to, .offset = 0, .size = 0, .number = 0};
}

}  // namespace

class SimulatedFile : public File {
 public:
  SimulatedFile(SimulatedFileSystem& owner, std::string path, uint64_t inode, uint64_t handle, uint64_t boot,
                bool writable)
      : owner_(owner), path_(std::move(path)), inode_(inode), handle_(handle), boot_(boot), writable_(writable) {}

  ~SimulatedFile() override {
    std::lock_guard lock(owner_.mutex_);
    if (owner_.boot_ != boot_) return;
    owner_.disk_.Close(inode_, handle_);
  }

  absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> out) override {
    if (auto status = Begin(Kind::kRead, offset, out.size()); !status.ok()) return status;
    std::lock_guard lock(owner_.mutex_);
    if (auto status = CheckAlive("read"); !status.ok()) return status;
    return inode().ReadAt(offset, out);
  }

  absl::Status WriteAt(uint64_t offset, absl::string_view data) override {
    if (auto status = Begin(Kind::kWrite, offset, data.size()); !status.ok()) return status;
    std::lock_guard lock(owner_.mutex_);
    if (auto status = CheckWritable("write"); !status.ok()) return status;
    if (data.empty()) return absl::OkStatus();
    const uint64_t limit = std::max(owner_.SizeLimit(inode_), inode().size());
    const uint64_t fits = offset >= limit ? 0 : std::min<uint64_t>(limit - offset, data.size());
    InodeToChange().WriteAt(offset, data.substr(0, static_cast<size_t>(fits)));
    return fits == data.size() ? absl::OkStatus() : DiskFull("write", offset + fits);
  }

  absl::Status Truncate(uint64_t size) override {
    if (auto status = Begin(Kind::kTruncate, 0, size); !status.ok()) return status;
    std::lock_guard lock(owner_.mutex_);
    if (auto status = CheckWritable("truncate"); !status.ok()) return status;
    if (size > std::max(owner_.SizeLimit(inode_), inode().size())) return DiskFull("truncate", size);
    InodeToChange().Truncate(size);
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    const absl::Status hooked = Begin(Kind::kSync, 0, 0);
    std::lock_guard lock(owner_.mutex_);
    if (auto status = CheckAlive("sync"); !status.ok()) return status;
    if (!hooked.ok()) {
      InodeToChange().FailSync();
      return hooked;
    }
    InodeToChange().Sync();
    return absl::OkStatus();
  }

  absl::StatusOr<FileInfo> Stat() override {
    if (auto status = Begin(Kind::kStat, 0, 0); !status.ok()) return status;
    std::lock_guard lock(owner_.mutex_);
    if (auto status = CheckAlive("stat"); !status.ok()) return status;
    return owner_.InfoOf(inode_);
  }

  absl::Status SetAccess(const filestorage::FileAccess& access) override {
    std::lock_guard lock(owner_.mutex_);
    if (auto status = CheckAlive("set access"); !status.ok()) return status;
    if (access.mode) InodeToChange().mode = *access.mode;
    return absl::OkStatus();
  }

  absl::Status LockExclusively() override {
    if (auto status = Begin(Kind::kLock, 0, 0); !status.ok()) return status;
    std::lock_guard lock(owner_.mutex_);
    if (auto status = CheckAlive("lock"); !status.ok()) return status;
    uint64_t& holder = owner_.disk_.LockHolder(inode_);
    if (holder != 0 && holder != handle_) {
      return absl::UnavailableError(absl::StrCat("lock ", path_, ": another has it (simulated)"));
    }
    holder = handle_;
    return absl::OkStatus();
  }

  const std::string& path() const override { return path_; }

 private:
  const SimulatedInode& inode() const { return owner_.disk_.inode(inode_); }
  SimulatedInode& InodeToChange() { return owner_.disk_.InodeToChange(inode_); }

  absl::Status Begin(Kind kind, uint64_t offset, uint64_t size) {
    if (owner_.BeginUnseen()) return absl::OkStatus();
    return owner_.Begin({.kind = kind, .path = path_, .to = "", .offset = offset, .size = size, .number = 0});
  }

  absl::Status CheckAlive(absl::string_view what) {
    if (owner_.boot_ == boot_) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat(what, " ", path_, ": the machine crashed (simulated)"));
  }

  absl::Status CheckWritable(absl::string_view what) {
    if (auto status = CheckAlive(what); !status.ok()) return status;
    if (writable_) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(what, " ", path_, ": opened for reading (simulated)"));
  }

  absl::Status DiskFull(absl::string_view what, uint64_t offset) {
    return absl::ResourceExhaustedError(absl::StrCat(what, " ", path_, " at ", offset, ": disk full (simulated)"));
  }

  SimulatedFileSystem& owner_;
  const std::string path_;
  const uint64_t inode_;
  const uint64_t handle_;
  const uint64_t boot_;
  const bool writable_;
};

void SimulatedFileSystem::SetHook(OperationHook hook) {
  std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

void SimulatedFileSystem::SetCapacity(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

void SimulatedFileSystem::Crash(CrashChooser& chooser) {
  std::lock_guard lock(mutex_);
  ++boot_;
  disk_.Crash(chooser);
}

void SimulatedFileSystem::Renumber() {
  std::lock_guard lock(mutex_);
  ++numbering_;
}

uint64_t SimulatedFileSystem::CrashOutcomes() const {
  std::lock_guard lock(mutex_);
  return disk_.CrashOutcomes();
}

std::unique_ptr<SimulatedFileSystem> SimulatedFileSystem::Clone() const {
  auto clone = std::make_unique<SimulatedFileSystem>();
  std::lock_guard lock(mutex_);
  clone->disk_ = disk_;
  clone->disk_.ForgetHandles();
  return clone;
}

uint64_t SimulatedFileSystem::operations() const {
  std::lock_guard lock(mutex_);
  return operations_;
}

std::string SimulatedFileSystem::Contents(const std::string& path) const {
  std::lock_guard lock(mutex_);
  const uint64_t number = FindFile(path);
  return number == 0 ? "" : disk_.inode(number).Contents();
}

bool SimulatedFileSystem::HasContents(const std::string& path, absl::string_view contents) const {
  std::lock_guard lock(mutex_);
  const uint64_t number = FindFile(path);
  return number != 0 && disk_.inode(number).HasContents(contents);
}

std::string SimulatedFileSystem::DurableContents(const std::string& path, uint64_t from, uint64_t to) const {
  std::lock_guard lock(mutex_);
  const uint64_t number = disk_.FindDurable(path);
  return number == 0 ? "" : disk_.inode(number).DurableContents(from, to);
}

bool SimulatedFileSystem::Exists(const std::string& path) const {
  std::lock_guard lock(mutex_);
  return disk_.Find(path) != 0;
}

void SimulatedFileSystem::SetContents(const std::string& path, absl::string_view contents) {
  std::lock_guard lock(mutex_);
  const std::string directory = filestorage::DirectoryOf(path);
  disk_.CreateDirectories(directory);
  uint64_t number = FindFile(path);
  if (number == 0) number = disk_.Create(path, 0644);
  SimulatedInode& inode = disk_.InodeToChange(number);
  inode.Truncate(0);
  inode.WriteAt(0, contents);
  inode.Sync();
  disk_.SyncDirectory(directory);
}

void SimulatedFileSystem::SetLink(const std::string& path, const std::string& target) {
  std::lock_guard lock(mutex_);
  disk_.CreateDirectories(filestorage::DirectoryOf(path));
  disk_.InodeToChange(disk_.Create(path, 0777)).link_target = target;
  disk_.SyncDirectory(filestorage::DirectoryOf(path));
}

std::string SimulatedFileSystem::LinkTarget(const std::string& path) const {
  std::lock_guard lock(mutex_);
  const uint64_t number = disk_.Find(path);
  return number == 0 ? "" : disk_.inode(number).link_target;
}

bool SimulatedFileSystem::BeginUnseen() {
  std::lock_guard lock(mutex_);
  if (hook_) return false;
  ++operations_;
  return true;
}

absl::Status SimulatedFileSystem::Begin(SimulatedOperation operation) {
  OperationHook hook;
  {
    std::lock_guard lock(mutex_);
    operation.number = ++operations_;
    hook = hook_;
  }
  return hook ? hook(operation) : absl::OkStatus();
}

std::unique_ptr<File> SimulatedFileSystem::NewHandle(const std::string& path, uint64_t inode, bool writable) {
  disk_.Open(inode);
  return std::make_unique<SimulatedFile>(*this, path, inode, ++handles_, boot_, writable);
}

FileInfo SimulatedFileSystem::InfoOf(uint64_t inode) const {
  const SimulatedInode& found = disk_.inode(inode);
  const bool is_link = !found.link_target.empty();
  return {.size = found.size(),
          .device = 1 + numbering_,
          .inode = inode + numbering_ * kNumbering,
          .mode = found.mode,
          .is_regular = !is_link,
          .is_link = is_link};
}

uint64_t SimulatedFileSystem::SizeLimit(uint64_t inode) const {
  if (capacity_ == UINT64_MAX) return UINT64_MAX;
  const uint64_t others = disk_.UsedBytes() - disk_.inode(inode).size();
  return others >= capacity_ ? 0 : capacity_ - others;
}

absl::StatusOr<std::unique_ptr<File>> SimulatedFileSystem::Open(const std::string& path, bool writable) {
  const absl::Status begun = Begin(OnName(Kind::kOpen, path));
  if (!begun.ok()) return begun;
  std::lock_guard lock(mutex_);
  const uint64_t inode = FindFile(path);
  if (inode == 0) return NoSuchFile("open", path);
  return NewHandle(path, inode, writable);
}

absl::StatusOr<std::unique_ptr<File>> SimulatedFileSystem::OpenForReading(const std::string& path) {
  return Open(path, false);
}

absl::StatusOr<std::unique_ptr<File>> SimulatedFileSystem::OpenForWriting(const std::string& path) {
  return Open(path, true);
}

absl::StatusOr<std::unique_ptr<File>> SimulatedFileSystem::OpenOrCreate(const std::string& path, uint32_t mode) {
  if (!LinkTarget(path).empty()) {
    return absl::FailedPreconditionError(absl::StrCat("open or create ", path, ": a symbolic link (simulated)"));
  }
  if (Exists(path)) return Open(path, true);
  return Create(path, mode);
}

absl::StatusOr<std::unique_ptr<File>> SimulatedFileSystem::CreateExclusively(const std::string& path, uint32_t mode) {
  if (Exists(path)) return absl::AlreadyExistsError(absl::StrCat("create ", path, ": file exists (simulated)"));
  return Create(path, mode);
}

absl::StatusOr<std::unique_ptr<File>> SimulatedFileSystem::Create(const std::string& path, uint32_t mode) {
  const absl::Status begun = Begin(OnName(Kind::kCreate, path));
  if (!begun.ok()) return begun;
  std::lock_guard lock(mutex_);
  if (!disk_.HasDirectory(filestorage::DirectoryOf(path))) return NoSuchFile("create", path);
  if (disk_.HasDirectory(path) || disk_.Find(path) != 0) {
    return absl::AlreadyExistsError(absl::StrCat("create ", path, ": it exists (simulated)"));
  }
  return NewHandle(path, disk_.Create(path, mode), true);
}

absl::StatusOr<FileInfo> SimulatedFileSystem::Stat(const std::string& path) {
  const absl::Status begun = Begin(OnName(Kind::kStat, path));
  if (!begun.ok()) return begun;
  std::lock_guard lock(mutex_);
  const std::string end = disk_.Follow(path);
  if (const uint64_t inode = disk_.Find(end); inode != 0) return InfoOf(inode);
  if (!disk_.HasDirectory(end)) return NoSuchFile("stat", path);
  return FileInfo{.size = 0, .device = 1 + numbering_, .inode = 0, .mode = 0755, .is_regular = false};
}

absl::StatusOr<FileInfo> SimulatedFileSystem::StatName(const std::string& path) {
  if (LinkTarget(path).empty()) return Stat(path);
  const absl::Status begun = Begin(OnName(Kind::kStat, path));
  if (!begun.ok()) return begun;
  std::lock_guard lock(mutex_);
  const uint64_t inode = disk_.Find(path);
  if (inode == 0) return NoSuchFile("stat", path);
  return InfoOf(inode);
}

absl::Status SimulatedFileSystem::Rename(const std::string& from, const std::string& to) {
  const absl::Status begun = Begin(OnName(Kind::kRename, from, to));
  if (!begun.ok()) return begun;
  std::lock_guard lock(mutex_);
  if (disk_.Find(from) == 0) return NoSuchFile("rename", from);
  if (!disk_.HasDirectory(filestorage::DirectoryOf(to))) return NoSuchFile("rename to", to);
  disk_.Rename(from, to);
  disk_.Collect();
  return absl::OkStatus();
}

absl::Status SimulatedFileSystem::Link(const std::string& from, const std::string& to) {
  const absl::Status begun = Begin(OnName(Kind::kLink, from, to));
  if (!begun.ok()) return begun;
  std::lock_guard lock(mutex_);
  if (disk_.Find(from) == 0) return NoSuchFile("link", from);
  if (!disk_.HasDirectory(filestorage::DirectoryOf(to))) return NoSuchFile("link to", to);
  if (disk_.HasDirectory(to) || disk_.Find(to) != 0) {
    return absl::AlreadyExistsError(absl::StrCat("link to ", to, ": it exists (simulated)"));
  }
  disk_.Link(from, to);
  return absl::OkStatus();
}

absl::Status SimulatedFileSystem::Remove(const std::string& path) {
  const absl::Status begun = Begin(OnName(Kind::kRemove, path));
  if (!begun.ok()) return begun;
  std::lock_guard lock(mutex_);
  if (disk_.Find(path) == 0) return NoSuchFile("remove", path);
  disk_.Remove(path);
  return absl::OkStatus();
}

absl::Status SimulatedFileSystem::SyncDirectory(const std::string& directory) {
  const absl::Status begun = Begin(OnName(Kind::kSyncDirectory, directory));
  if (!begun.ok()) return begun;
  std::lock_guard lock(mutex_);
  if (!disk_.HasDirectory(directory)) return NoSuchFile("sync directory", directory);
  disk_.SyncDirectory(directory);
  return absl::OkStatus();
}

absl::Status SimulatedFileSystem::CreateDirectories(const std::string& directory, uint32_t /*mode*/) {
  const absl::Status begun = Begin(OnName(Kind::kCreateDirectories, directory));
  if (!begun.ok()) return begun;
  std::lock_guard lock(mutex_);
  disk_.CreateDirectories(directory);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> SimulatedFileSystem::List(const std::string& directory) {
  const absl::Status begun = Begin(OnName(Kind::kList, directory));
  if (!begun.ok()) return begun;
  std::lock_guard lock(mutex_);
  if (!disk_.HasDirectory(directory)) return NoSuchFile("list", directory);
  return disk_.List(directory);
}

absl::StatusOr<uint64_t> SimulatedFileSystem::FreeBytes(const std::string& directory) {
  const absl::Status begun = Begin(OnName(Kind::kFreeBytes, directory));
  if (!begun.ok()) return begun;
  std::lock_guard lock(mutex_);
  if (!disk_.HasDirectory(directory)) return NoSuchFile("free bytes of", directory);
  const uint64_t used = disk_.UsedBytes();
  return used >= capacity_ ? 0 : capacity_ - used;
}

}  // namespace zrs::tests

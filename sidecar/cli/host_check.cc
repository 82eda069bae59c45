#include "sidecar/cli/host_check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "filestorage/data_file_names.h"
#include "filestorage/file_system.h"
#include "filestorage/format.h"
#include "filestorage/posix_file_system.h"
#include "sidecar/cli/access.h"
#include "sidecar/cli/machine_id.h"
#include "sidecar/cli/process_lock.h"
#include "sidecar/storage/state_file.h"
#include "sidecar/text/printable.h"

namespace zrs::cli {
namespace {

using filestorage::DirectoryOf;

constexpr int kEnter = X_OK;  // these two are of directories
constexpr int kChange = W_OK | X_OK;
constexpr int kReadAndWrite = R_OK | W_OK;

std::string Cause(int error) { return std::generic_category().message(error); }

std::string In(const config::StorageSettings& storage) { return absl::StrCat("storage \"", storage.name, "\": "); }

// One line, whatever is in the name.
std::string Shown(const std::string& path) { return text::Escaped(path, absl::string_view::npos); }

std::string Remedy(int error, const Account& account) {
  if (error == ENOENT) return "create it, or name another one";
  if (error == ENOTDIR) return "what is named as a directory is a file: name another one";
  if (error == ELOOP) return "the symbolic link leads to itself: put in its place what it was to lead to";
  if (error == EROFS) return "mount that file system for writing, or name another place";
  return absl::StrCat("give it to ", account.name, " or a group of that user with these permissions, and let ",
                      account.name, " enter every directory above it (permission x)");
}

struct FileKind {
  int error = 0;  // of looking at it; 0: it is there
  mode_t mode = 0;
  uid_t owner = 0;
};

FileKind Look(const std::string& path, bool follow_link) {
  struct stat info {};
  if ((follow_link ? stat(path.c_str(), &info) : lstat(path.c_str(), &info)) != 0) return {errno};
  return {0, info.st_mode, info.st_uid};
}

class Checker {
 public:
  void CheckStateDirectory(const config::Settings& settings);
  void CheckSidecar(const config::SidecarSettings& sidecar);
  void CheckStorage(const config::StorageSettings& storage);
  HostReport TakeReport() { return std::move(report_); }

 private:
  void CheckAdminSocket(const std::string& path);
  void CheckAddress(const std::string& whose, const std::string& what, const std::string& address);
  void CheckPrimary(const config::StorageSettings& storage);
  void CheckCopy(const config::StorageSettings& storage, const Account& account);
  void CheckState(const config::StorageSettings& storage, const std::string& state_path);
  void NoteLostIdentity(const config::StorageSettings& storage, const std::string& state_path);
  void CheckMagic(const std::string& what, const std::string& path);
  void CheckOwner(const config::StorageSettings& storage);
  void CheckGroup(const config::StorageSettings& storage);

  // Whether `account` may do `how` to `path`; a problem otherwise. `verb` ends "cannot be ...".
  bool Require(const std::string& what, const std::string& path, int how, const std::string& verb,
               const Account& account);
  // The same for a file that need not exist, but has to be a regular one.
  void RequireIfThere(const std::string& what, const std::string& path, int how, const std::string& verb,
                      const Account& account);
  // The same for a directory that zrs makes where it does not exist.
  bool RequireDirectory(const std::string& what, const std::string& path);
  void CheckSocket(const std::string& what, const std::string& path);
  void AddProblem(const std::string& message, const std::string& remedy);

  const Account self_ = OwnAccount();
  HostReport report_;
};

void Checker::AddProblem(const std::string& message, const std::string& remedy) {
  report_.problems.push_back({message, remedy});
}

bool Checker::Require(const std::string& what, const std::string& path, int how, const std::string& verb,
                      const Account& account) {
  const absl::StatusOr<std::vector<int>> errors = TryAccess(account, {{path, how}});
  if (!errors.ok()) {
    AddProblem(absl::StrCat(what, " ", Shown(path), ": ", errors.status().message()), "run this as root");
    return false;
  }
  const FileKind kind = Look(path, true);
  const bool no_directory = (how & kEnter) != 0 && kind.error == 0 && !S_ISDIR(kind.mode);
  const int error = no_directory ? ENOTDIR : errors->front();
  if (error == 0) return true;
  AddProblem(absl::StrCat(what, " ", Shown(path), " cannot be ", verb, " by ", account.name, ": ", Cause(error)),
             Remedy(error, account));
  return false;
}

void Checker::RequireIfThere(const std::string& what, const std::string& path, int how, const std::string& verb,
                             const Account& account) {
  const FileKind kind = Look(path, true);
  if (kind.error == ENOENT) return;
  if (kind.error == 0 && !S_ISREG(kind.mode)) {
    return AddProblem(absl::StrCat(what, " ", Shown(path), " is no regular file"), "move it away, or name another one");
  }
  Require(what, path, how, verb, account);
}

bool Checker::RequireDirectory(const std::string& what, const std::string& path) {
  std::string there = path;
  while (there != "/" && Look(there, true).error == ENOENT) there = DirectoryOf(there);
  if (there == path) return Require(what, path, kChange, "written", self_);
  return Require(absl::StrCat(what, " ", Shown(path), " does not exist yet, and"), there, kChange, "written", self_);
}

void Checker::CheckSocket(const std::string& what, const std::string& path) {
  const FileKind kind = Look(path, false);
  if (kind.error != 0 || S_ISSOCK(kind.mode)) return;
  AddProblem(absl::StrCat(what, " ", Shown(path), ": there is a file that is no socket"),
             "move it away, or name another one");
}

void Checker::CheckAddress(const std::string& whose, const std::string& what, const std::string& address) {
  if (!absl::StartsWith(address, "/")) return;
  if (!Require(absl::StrCat(whose, "the directory of ", what), DirectoryOf(address), kChange, "written", self_)) return;
  CheckSocket(absl::StrCat(whose, what), address);
}

void Checker::CheckStateDirectory(const config::Settings& settings) {
  const std::string& directory = settings.sidecar.state_dir;
  if (!RequireDirectory("state-dir", directory)) return;
  RequireIfThere("the lock of state-dir", ProcessLock::Path(directory), kReadAndWrite, "read and written", self_);
  for (const config::StorageSettings& storage : settings.storages) {
    const std::string state_path = settings.sidecar.StatePath(storage.name);
    RequireIfThere(absl::StrCat(In(storage), "the state"), state_path, kReadAndWrite, "read and written", self_);
    if (!storage.is_primary()) NoteLostIdentity(storage, state_path);
    CheckState(storage, state_path);
  }
}

// What its start would say of it. What cannot be read was told already.
void Checker::CheckState(const config::StorageSettings& storage, const std::string& state_path) {
  const auto state = storage::StateFile(filestorage::PosixFileSystem(), state_path).Load();
  absl::Status fits;
  if (state.ok() && state->has_value()) {
    fits = storage::CheckStateBelongs(**state, state_path, storage.path, MachineId());
    if (fits.ok() && storage.is_primary()) fits = storage::CheckStateIsPrimarys(**state, state_path);
  } else if (absl::IsInvalidArgument(state.status()) || absl::IsUnimplemented(state.status())) {
    fits = state.status();
  }
  if (fits.ok()) return;
  const Problem problem = ProblemOf(fits);
  AddProblem(absl::StrCat(In(storage), problem.message), problem.remedy);
}

void Checker::NoteLostIdentity(const config::StorageSettings& storage, const std::string& state_path) {
  if (Look(storage.path, true).error != 0 || Look(state_path, true).error != ENOENT) return;
  report_.notes.push_back(absl::StrCat(In(storage), "the copy ", Shown(storage.path), " is there, but not its state ",
                                       Shown(state_path),
                                       ", which tells of which database it is; zrs compares all of it with its "
                                       "upstream's file at its first start, and adopts it where it is the same"));
}

// What the beginning of the file tells, where there is one and it can be read here.
void Checker::CheckMagic(const std::string& what, const std::string& path) {
  const FileKind kind = Look(path, true);
  if (kind.error != 0 || !S_ISREG(kind.mode)) return;
  const absl::StatusOr<std::unique_ptr<filestorage::File>> file = filestorage::PosixFileSystem().OpenForReading(path);
  std::string magic(filestorage::kMagicSize, '\0');
  if (!file.ok() || (*file)->ReadAt(0, absl::MakeSpan(magic)).value_or(0) < magic.size()) return;
  if (filestorage::ParseMagic(magic).ok()) return;
  AddProblem(absl::StrCat(what, " ", Shown(path), " is no FileStorage: it begins with '", absl::CHexEscape(magic), "'"),
             "name the right file");
}

void Checker::CheckAdminSocket(const std::string& path) {
  const std::string directory = DirectoryOf(path);
  RequireDirectory("the directory of admin-socket", directory);
  const FileKind kind = Look(directory, true);
  if (kind.error == 0 && !IsTrustedOwner(kind.owner)) {
    AddProblem(absl::StrCat("the directory of admin-socket ", Shown(directory), " belongs to another user than ",
                            self_.name, ", who could take the socket's place"),
               "name another place as admin-socket");
  }
  CheckSocket("admin-socket", path);
}

void Checker::CheckSidecar(const config::SidecarSettings& sidecar) {
  CheckAdminSocket(sidecar.admin_socket);
  CheckAddress("", "health-address", sidecar.health_address);
  if (sidecar.log_file.empty()) return;
  if (!RequireDirectory("the directory of log-file", DirectoryOf(sidecar.log_file))) return;
  RequireIfThere("log-file", sidecar.log_file, W_OK, "written", self_);
}

void Checker::CheckStorage(const config::StorageSettings& storage) {
  CheckAddress(In(storage), "its address", storage.listen);
  if (storage.is_primary()) return CheckPrimary(storage);
  CheckCopy(storage, self_);
  CheckMagic(absl::StrCat(In(storage), "the copy"), storage.path);
  CheckOwner(storage);
  CheckGroup(storage);
}

void Checker::CheckPrimary(const config::StorageSettings& storage) {
  const std::string in = In(storage);
  const std::string directory = DirectoryOf(storage.path);
  if (!Require(absl::StrCat(in, "the data file's directory"), directory, kEnter, "entered", self_)) return;
  if (Look(storage.path, true).error == ENOENT) {
    report_.notes.push_back(absl::StrCat(in, "the data file ", Shown(storage.path),
                                         " does not exist yet; zrs waits until the database has made it"));
  }
  RequireIfThere(absl::StrCat(in, "the data file"), storage.path, R_OK, "read", self_);
  CheckMagic(absl::StrCat(in, "the data file"), storage.path);
  const absl::StatusOr<std::vector<int>> listed = TryAccess(self_, {{directory, R_OK}});
  if (!listed.ok() || listed->front() == 0) return;
  report_.notes.push_back(absl::StrCat(in, "the data file's directory ", Shown(directory), " cannot be read by ",
                                       self_.name, ": no notification comes from there, and changes are seen every ",
                                       absl::FormatDuration(storage.poll_interval), " only"));
}

void Checker::CheckCopy(const config::StorageSettings& storage, const Account& account) {
  const std::string in = In(storage);
  const std::string directory = DirectoryOf(storage.path);
  if (!Require(absl::StrCat(in, "the copy's directory"), directory, kChange, "written", account)) return;
  RequireIfThere(absl::StrCat(in, "the copy"), storage.path, kReadAndWrite, "read and written", account);
  RequireIfThere(absl::StrCat(in, "the copy's lock"), filestorage::LockPath(storage.path), kReadAndWrite,
                 "read and written", account);
}

void Checker::CheckOwner(const config::StorageSettings& storage) {
  if (!storage.owner_id || *storage.owner_id == self_.user_id) return;
  const Account owner = AccountOf(*storage.owner_id, storage.group_id);
  if (self_.user_id == 0) {
    if (Look(DirectoryOf(storage.path), true).error == ENOENT) return;  // which was told already
    CheckCopy(storage, owner);
    // ZODB's own; zrs has no use for it.
    return RequireIfThere(absl::StrCat(In(storage), "the copy's index"), filestorage::IndexPath(storage.path), R_OK,
                          "read", owner);
  }
  AddProblem(absl::StrCat(In(storage), self_.name, " cannot give the copy's files to ", owner.name, ", its owner"),
             absl::StrCat("run zrs as root or as ", owner.name, ", or remove owner"));
}

void Checker::CheckGroup(const config::StorageSettings& storage) {
  if (storage.group.empty() || self_.user_id == 0 || *storage.group_id == self_.group_id) return;
  if (std::ranges::count(self_.groups, *storage.group_id) != 0) return;
  AddProblem(absl::StrCat(In(storage), self_.name, " cannot give the copy's files to group ", *storage.group_id,
                          ", of which that user is no member"),
             "add the user that runs zrs to it, run zrs as root, or name another group");
}

}  // namespace

Problem ProblemOf(const absl::Status& error) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(error.message(), absl::MaxSplits("; ", 1));
  return {parts.first, parts.second};
}

HostReport CheckHost(const config::Settings& settings) {
  Checker checker;
  checker.CheckSidecar(settings.sidecar);
  checker.CheckStateDirectory(settings);
  for (const config::StorageSettings& storage : settings.storages) checker.CheckStorage(storage);
  return checker.TakeReport();
}

}  // namespace zrs::cli

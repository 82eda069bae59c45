#include "filestorage/lock.h"

#include <unistd.h>

#include <array>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "filestorage/data_file_names.h"

namespace zrs::filestorage {
namespace {

// Of one that was removed between two looks, until it is known better.
constexpr uint32_t kNewLockMode = 0600;

// "process 123", where the lock file names one as zc.lockfile and we write it; else "another process".
std::string HolderOf(File& file) {
  std::array<char, 32> buffer;
  const absl::StatusOr<size_t> read = file.ReadAt(0, absl::MakeSpan(buffer));
  const absl::string_view text = absl::string_view(buffer.data(), read.value_or(0));
  const absl::string_view id = absl::StripAsciiWhitespace(text);
  bool is_number = !id.empty() && text.size() < buffer.size();
  for (const char c : id) is_number = is_number && absl::ascii_isdigit(static_cast<unsigned char>(c));
  return is_number ? absl::StrCat("process ", id) : "another process";
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataFileLock>> DataFileLock::Take(FileSystem& file_system, const std::string& data_path,
                                                                 const FileAccess& access) {
  const std::string path = LockPath(data_path);
  absl::StatusOr<std::unique_ptr<File>> file = CreateWithAccess(file_system, path, access);
  const bool created = file.ok();
  if (absl::IsAlreadyExists(file.status())) file = file_system.OpenOrCreate(path, kNewLockMode);
  if (!file.ok()) return file.status();
  absl::Status status = (*file)->LockExclusively();
  if (absl::IsUnavailable(status)) {
    return absl::UnavailableError(absl::StrCat("locking ", path, ": ", HolderOf(**file), " has ", data_path,
                                               " open for writing; stop it, or open that file read-only there"));
  }
  if (!status.ok()) return status;
  const std::string content = absl::StrCat(" ", ::getpid(), "\n");
  if (status = (*file)->WriteAt(0, content); !status.ok()) return status;
  if (status = (*file)->Truncate(content.size()); !status.ok()) return status;
  return std::unique_ptr<DataFileLock>(new DataFileLock(*std::move(file), created));
}

}  // namespace zrs::filestorage

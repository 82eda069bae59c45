#include "sidecar/cli/data_file_argument.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace zrs::cli {

absl::Status CheckIsRegular(filestorage::FileSystem& files, absl::string_view command, const std::string& path) {
  const absl::StatusOr<filestorage::FileInfo> info = files.Stat(path);
  if (!info.ok()) return info.status();
  if (info->is_regular) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(command, " ", path, ": it is not a regular file; name the data file itself"));
}

}  // namespace zrs::cli

#include "filestorage/data_file_names.h"

#include "absl/strings/str_cat.h"

namespace zrs::filestorage {

std::string LockPath(const std::string& data_path) { return absl::StrCat(data_path, ".lock"); }
std::string IndexPath(const std::string& data_path) { return absl::StrCat(data_path, ".index"); }
std::string OldPath(const std::string& data_path) { return absl::StrCat(data_path, ".old"); }
std::string NewPath(const std::string& data_path) { return absl::StrCat(data_path, ".zrs-new"); }
std::string SavedTailPath(const std::string& data_path, int number) { return absl::StrCat(data_path, ".tr", number); }

}  // namespace zrs::filestorage

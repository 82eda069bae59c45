#include "sidecar/config/zconfig.h"

#include "absl/strings/str_cat.h"
#include "sidecar/config/text.h"
#include "sidecar/config/zconfig_parser.h"

namespace zrs::config {

std::string HeaderText(const Section& section) {
  return absl::StrCat("<", Printable(section.type), section.name.empty() ? "" : " ", Printable(section.name), ">");
}

absl::StatusOr<Section> ParseZConfig(const std::string& path, const ReadFile& read_file,
                                     const GetEnvironment& environment) {
  ZConfigParser parser(read_file, environment, /*tolerant=*/false);
  return parser.Parse(path);
}

absl::StatusOr<Section> ParseZConfigTolerantly(const std::string& path, const ReadFile& read_file,
                                               const GetEnvironment& environment) {
  ZConfigParser parser(read_file, environment, /*tolerant=*/true);
  return parser.Parse(path);
}

}  // namespace zrs::config

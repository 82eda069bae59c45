#include "sidecar/config/zconfig.h"

#include "absl/strings/str_cat.h"
#include "sidecar/config/zconfig_parser.h"
#include "sidecar/text/printable.h"

namespace zrs::config {

std::string HeaderText(const Section& section) {
  return absl::StrCat("<", text::Escaped(section.type), section.name.empty() ? "" : " ", text::Escaped(section.name),
                      ">");
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

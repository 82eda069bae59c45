#include "sidecar/cli/index_report.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "filestorage/data_file_names.h"
#include "sidecar/admin/human_units.h"
#include "sidecar/text/printable.h"

namespace zrs::cli {
namespace {

using filestorage::IndexReport;
using Json = nlohmann::ordered_json;

}  // namespace

std::string IndexToText(absl::string_view path, const IndexReport& report) {
  return absl::StrCat(text::Clean(filestorage::IndexPath(std::string(path))), ": ",
                      report.written ? "written" : "up to date", ", ", report.objects, " objects, position ",
                      report.position, ", ", report.scanned_bytes, " bytes (",
                      admin::HumanBytes(static_cast<double>(report.scanned_bytes)), ") scanned\n");
}

std::string IndexToJson(absl::string_view path, const IndexReport& report) {
  Json json = {{"path", path},
               {"index", filestorage::IndexPath(std::string(path))},
               {"written", report.written},
               {"objects", report.objects},
               {"position", report.position},
               {"scannedBytes", report.scanned_bytes},
               {"wentOnFrom", nullptr}};
  if (report.went_on_from > 0) json["wentOnFrom"] = report.went_on_from;
  // Paths may hold any bytes; what is not UTF-8 is replaced rather than thrown about.
  return json.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

}  // namespace zrs::cli

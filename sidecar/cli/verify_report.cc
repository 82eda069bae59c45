#include "sidecar/cli/verify_report.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "filestorage/format.h"
#include "filestorage/timestamp.h"
#include "sidecar/admin/human_units.h"
#include "sidecar/admin/screen_lines.h"
#include "sidecar/text/printable.h"

namespace zrs::cli {
namespace {

using filestorage::VerifyReport;
using Json = nlohmann::ordered_json;

constexpr char kNotAFileStorage[] =
    "check the path: this is no Data.fs, or its beginning is lost; then restore it from a backup or from a copy";

std::string Size(uint64_t bytes) {
  return absl::StrCat(bytes, " bytes (", admin::HumanBytes(static_cast<double>(bytes)), ")");
}

// Offset 0 is in front of the magic: the file is no FileStorage.
bool HasMagic(const VerifyReport& report) { return report.end.offset > 0; }

std::string LastTransaction(const VerifyReport& report) {
  if (report.end.tid == 0) return "none";
  const auto time = filestorage::Rfc3339FromTid(report.end.tid);
  return absl::StrCat(filestorage::TidHex(report.end.tid), time.ok() ? " of " + *time : "");
}

std::string Remedy(absl::string_view path, const VerifyReport& report) {
  if (!HasMagic(report)) return kNotAFileStorage;
  return absl::StrCat(
      "leave the file as it is. A secondary's copy: zrs compare there says whether its primary's file ",
      "is sound in that place, and zrs resync mends the copy from it; where zrs cannot open the copy, ",
      "move it and its state file away, and restart zrs for a new one. A primary's file: restore it from a ",
      "secondary or a backup that zrs verify finds sound; else save its first ", report.end.offset,
      " bytes, which are sound (head -c ", report.end.offset, " ", path,
      "), or what else can be read (python -m ZODB.fsrecover)");
}

void AddContents(admin::ScreenLines& lines, const VerifyReport& report) {
  const absl::string_view where = report.sound ? "" : " before the damage";
  lines.Add("transactions", absl::StrCat(report.transactions, where));
  lines.Add("records", absl::StrCat(report.records, where));
  lines.Add(report.sound ? "last tid" : "last sound", LastTransaction(report));
  lines.Add(report.sound ? "ends at" : "sound until", absl::StrCat("offset ", report.end.offset));
}

void AddNotices(admin::ScreenLines& lines, const VerifyReport& report) {
  if (report.cut_short) {
    lines.Add("uncommitted", absl::StrCat(Size(report.uncommitted_bytes), " of a transaction that is marked as ",
                                          "finished, and the file ends before it does: where no writer is at work the ",
                                          "file was cut short, and what is missing is in a copy or a backup alone"));
  } else if (report.uncommitted_bytes > 0) {
    lines.Add("uncommitted", absl::StrCat(Size(report.uncommitted_bytes), " behind the last transaction are not ",
                                          "committed: harmless while a writer is at work; cut off by ZODB when it ",
                                          "opens the file for writing"));
  }
  if (report.decreasing_tids > 0) {
    lines.Add("warning", absl::StrCat(report.decreasing_tids, " transactions are not newer than the one before them: ",
                                      "the clock of the database's host was set back; no damage"));
  }
}

}  // namespace

std::string VerifyToText(absl::string_view path, const VerifyReport& report, size_t columns) {
  admin::ScreenLines lines(columns);
  lines.Add(absl::StrCat(text::Clean(path), ": ", report.sound ? "sound" : "damaged"));
  lines.Add("size", Size(report.file_size));
  if (HasMagic(report)) AddContents(lines, report);
  AddNotices(lines, report);
  if (report.sound) return lines.text();
  lines.Add("damage", absl::StrCat("at offset ", report.position, ": ", report.reason));
  lines.Add("next step", Remedy(path, report));
  return lines.text();
}

std::string VerifyToJson(absl::string_view path, const VerifyReport& report) {
  const bool has_transaction = report.end.tid != 0;
  const auto time = filestorage::Rfc3339FromTid(report.end.tid);
  Json json = {{"path", path},
               {"sound", report.sound},
               {"size", report.file_size},
               {"transactions", report.transactions},
               {"records", report.records},
               {"committedEnd", nullptr},
               {"lastTid", nullptr},
               {"lastTidTime", nullptr},
               {"uncommittedBytes", nullptr},
               {"decreasingTids", report.decreasing_tids},
               {"damage", nullptr}};
  if (HasMagic(report)) json["committedEnd"] = report.end.offset;
  if (has_transaction) json["lastTid"] = filestorage::TidHex(report.end.tid);
  if (has_transaction && time.ok()) json["lastTidTime"] = *time;
  if (report.sound) {
    json["uncommittedBytes"] = report.uncommitted_bytes;
  } else {
    json["damage"] = {{"position", report.position}, {"reason", report.reason}, {"remedy", Remedy(path, report)}};
  }
  // Paths may hold any bytes; what is not UTF-8 is replaced rather than thrown about.
  return json.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

}  // namespace zrs::cli

#include "sidecar/cli/log_report.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "filestorage/format.h"
#include "filestorage/timestamp.h"
#include "sidecar/text/printable.h"
#include "sidecar/text/utf8.h"

namespace zrs::cli {
namespace {

using filestorage::LoggedTransaction;
using filestorage::LogReport;
using Json = nlohmann::ordered_json;

absl::string_view StatusWord(char status) {
  switch (status) {
    case filestorage::kStatusPacked:
      return "packed";
    case filestorage::kStatusUndone:
      return "undone";
    case filestorage::kStatusInProgress:
      return "in progress";
    default:
      return "complete";
  }
}

}  // namespace

std::string LogLine(const LoggedTransaction& transaction) {
  const auto time = filestorage::Rfc3339FromTid(transaction.tid);
  std::string line = absl::StrFormat("%s  %-27s  %5u records  %10u bytes  ", filestorage::TidHex(transaction.tid),
                                     time.ok() ? *time : "-", transaction.records, transaction.size);
  if (transaction.status != filestorage::kStatusComplete) {
    absl::StrAppend(&line, "(", StatusWord(transaction.status), ")  ");
  }
  absl::StrAppend(&line, text::Quoted(text::ShownUser(transaction.user)), "  ", text::Quoted(transaction.description),
                  "\n");
  return line;
}

std::string LogJson(const LoggedTransaction& transaction) {
  const auto time = filestorage::Rfc3339FromTid(transaction.tid);
  const bool escaped = !text::IsUtf8(transaction.user) || !text::IsUtf8(transaction.description);
  const auto shown = [escaped](const std::string& bytes) {
    return escaped ? text::Escaped(bytes, absl::string_view::npos) : bytes;
  };
  Json json = {{"tid", filestorage::TidHex(transaction.tid)},
               {"time", nullptr},
               {"status", StatusWord(transaction.status)},
               {"position", transaction.position},
               {"bytes", transaction.size},
               {"records", transaction.records},
               {"user", shown(transaction.user)},
               {"description", shown(transaction.description)},
               {"escaped", escaped}};
  if (time.ok()) json["time"] = *time;
  // ASCII alone: U+0080 to U+009F would be obeyed by a terminal.
  return json.dump(-1, ' ', /*ensure_ascii=*/true) + "\n";
}

std::string LogNotes(absl::string_view path, const LogReport& report) {
  const std::string name = absl::StrCat("zrs: ", text::Clean(path));
  std::string notes;
  if (report.is_tail) {
    absl::StrAppend(&notes, name, " is a saved tail, which was cut off its data file",
                    report.cut_at ? absl::StrCat(" at ", *report.cut_at) : "; none of its records tells where", "\n");
  }
  if (!report.sound) {
    absl::StrAppend(&notes, name, " is damaged at offset ", report.position, ": ", report.reason,
                    "; what follows is not listed",
                    report.is_tail ? "" : absl::StrCat(". zrs verify ", text::Clean(path), " tells what to do"), "\n");
  } else if (!report.stopped && report.rest > 0) {
    absl::StrAppend(&notes, name, ": the last ", report.rest, " bytes, from offset ", report.end, " on, are ",
                    report.is_tail ? "no whole transaction" : "not committed", "\n");
  }
  return notes;
}

}  // namespace zrs::cli

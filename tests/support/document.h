// Tables of the documentation, for tests that hold a document and the code together.
#ifndef ZRS_TESTS_SUPPORT_DOCUMENT_H_
#define ZRS_TESTS_SUPPORT_DOCUMENT_H_

#include <string>
#include <vector>

namespace zrs::tests {

// The rows, below the head, of the Markdown table between the lines "<!-- begin NAME -->" and "<!-- end NAME -->" of a
// document that the test has as data. Cells are without white space and backticks around them. A failure of the test
// where the table is not there.
std::vector<std::vector<std::string>> DocumentTable(const std::string& path, const std::string& name);

// The first cell of each of its rows.
std::vector<std::string> DocumentedNames(const std::string& path, const std::string& name);

// The text of its first fenced block of this language, as in "```json".
std::string DocumentBlock(const std::string& path, const std::string& language);

}  // namespace zrs::tests

#endif  // ZRS_TESTS_SUPPORT_DOCUMENT_H_

// Segmenter: a sentence as people write it to words, words to tokens, and back.
//
//   plain    Ein Mädchen, das läuft.
//   words    ein mädchen , das läuft .
//   tokens   ein mäd@@ chen , das läuft .
//
// Every step is an option: uniform punctuation and tokenizer, lower case, subwords. With none of them all three are the
// words between blanks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../engine/fields.h"
#include "bpe.h"
#include "tokenizer.h"
#include "translation.h"

namespace normlab {

// How plain text becomes words.
struct WordRules {
  std::string kind = "none";          // words stand between blanks already | "moses": tokenizer.h
  bool normalize_punctuation = true;  // before "moses" tokenizes
  bool split_hyphens = false;
  bool escape = true;
  bool lowercase = false;

  // Lists the tokenizer as the variant "tokenizer", and "lowercase".
  void fields(Fields& f);
};

class Segmenter {
 public:
  Segmenter() = default;  // words between blanks
  // Of sentences in that language, "en" or "de", which only "moses" asks for. Error when it knows no such language.
  Segmenter(const WordRules& rules, const std::string& language);
  void set_subwords(Bpe bpe) { bpe_ = std::move(bpe); }

  // Single blanks between words, and between tokens. Error when the sentence is not UTF-8.
  std::string words(std::string_view sentence) const;
  std::string tokens(std::string_view words) const;  // from one thread at a time
  // The same of many sentences on all threads.
  std::vector<std::string> words(const std::vector<std::string>& sentences) const;
  std::vector<std::string> tokens(const std::vector<std::string>& words) const;

  // Tokens as a sentence.
  std::string join(std::string_view tokens, TextForm form) const;
  // A plain sentence spelled so that it can be compared with what join() gives: in lower case where that is.
  std::string respell(std::string_view sentence, TextForm form) const;

  bool lowercase() const { return rules_.lowercase; }
  // What words() and tokens() depend on.
  std::string description() const;

 private:
  WordRules rules_;
  TokenizerRules tokenizer_;
  mutable std::optional<Bpe> bpe_;  // remembers words
};

}  // namespace normlab

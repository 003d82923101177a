// Segmenter: see the header.
#include "segmenter.h"

#include "../engine/parallel.h"
#include "unicode.h"
#include "words.h"

namespace normlab {
namespace {

std::string with_single_blanks(std::string_view sentence) {
  std::string out;
  for_each_word(sentence, [&](std::string_view word) { out.append(out.empty() ? "" : " ").append(word); });
  return out;
}

// out[i] = convert(in[i]) on all threads; each piece of the sentences has a converter of its own, made by make().
template <class Make>
std::vector<std::string> convert_all(const std::vector<std::string>& in, Index pieces, Make make) {
  const auto count = static_cast<Index>(in.size());
  std::vector<std::string> out(in.size());
  parallel(pieces, [&](Index piece) {
    auto convert = make();
    for (Index i = piece * count / pieces; i < (piece + 1) * count / pieces; ++i) {
      out[static_cast<std::size_t>(i)] = convert(in[static_cast<std::size_t>(i)]);
    }
  });
  return out;
}

}  // namespace

void WordRules::fields(Fields& f) {
  const auto choose = [this](const char* chosen) {
    return [this, chosen] {
      const bool lower = lowercase;
      *this = {};
      kind = chosen;
      lowercase = lower;
    };
  };
  const auto list_moses = [this](Fields& g) {
    g.boolean("normalize_punctuation", normalize_punctuation, "first make quotes, dashes and the like uniform");
    g.boolean("split_hyphens", split_hyphens, "\"well-known\" to \"well @-@ known\"");
    g.boolean("escape", escape, "write & | < > ' \" [ ] as &amp; and so on, as prepared corpora do");
  };
  f.variant("tokenizer", kind,
            {{"none", "words stand between blanks", choose("none"), [](Fields&) {}},
             {"moses", "raw English or German (en, de) to words, by the rules of the Moses tokenizer", choose("moses"),
              list_moses}},
            "how lines become words");
  f.boolean("lowercase", lowercase, "read all letters in lower case");
}

Segmenter::Segmenter(const WordRules& rules, const std::string& language) : rules_(rules) {
  if (rules.kind == "moses") tokenizer_ = {language_named(language), rules.split_hyphens, rules.escape};
}

std::string Segmenter::words(std::string_view sentence) const {
  std::string out(sentence);
  if (rules_.kind == "moses") {
    if (rules_.normalize_punctuation) out = normalize_punctuation(out, tokenizer_.language);
    out = tokenize(out, tokenizer_);
  } else {
    out = with_single_blanks(out);
  }
  return rules_.lowercase ? normlab::lowercase(out) : out;
}

std::string Segmenter::tokens(std::string_view words) const { return bpe_ ? bpe_->segment(words) : std::string(words); }

std::vector<std::string> Segmenter::words(const std::vector<std::string>& sentences) const {
  return convert_all(sentences, 64, [&] { return [&](const std::string& sentence) { return words(sentence); }; });
}

std::vector<std::string> Segmenter::tokens(const std::vector<std::string>& words) const {
  if (!bpe_) return words;
  // Few pieces: each must cut every word once for itself.
  return convert_all(
      words, 4, [&] { return [bpe = *bpe_](const std::string& sentence) mutable { return bpe.segment(sentence); }; });
}

std::string Segmenter::join(std::string_view tokens, TextForm form) const {
  std::string out = bpe_ ? join_subwords(tokens) : std::string(tokens);
  return form == TextForm::plain && rules_.kind == "moses" ? detokenize(out, tokenizer_) : out;
}

std::string Segmenter::respell(std::string_view sentence, TextForm form) const {
  if (form == TextForm::words) return words(sentence);
  return rules_.lowercase ? normlab::lowercase(sentence) : std::string(sentence);
}

std::string Segmenter::description() const {
  return text(rules_.kind, " ", static_cast<int>(tokenizer_.language), rules_.normalize_punctuation,
              rules_.split_hyphens, rules_.escape, rules_.lowercase, "\n", bpe_ ? bpe_->codes() : "");
}

}  // namespace normlab

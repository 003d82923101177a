// IWSLT14 German-English as a whole, from the archive of WIT3 (Cettolo et al. 2012), release 2014-01: de-en.tgz. No
// server can be counted on for it, so it is prepared from a copy of the user's own.
//
// As fairseq's prepare-iwslt14.sh, where the literature's figures come from:
//
//   train    train.tags without the lines of <url>, <talkid> and <keywords>, the tags of title and description taken
//   out;
//            tokenized by the Moses rules with escapes; pairs of 1 to 175 words a side, none more than 1.5 times as
//            many as the other; in lower case; but for every 23rd pair, which is
//   valid
//   test     the sentences of dev2010, TEDX dev2012, tst2010, tst2011 and tst2012, ’ as ', tokenized, in lower case
#pragma once

#include <filesystem>

namespace normlab {

// Writes train.de, train.en, valid.de … test.en into the folder. Error when the archive lacks one of its files, or they
// are not of the same number of lines in both languages.
void prepare_iwslt14(const std::filesystem::path& archive, const std::filesystem::path& folder);

}  // namespace normlab

/*
 * Text that came from a cluster, made harmless for the place where it is shown. Each sink has one function; all of
 * them first
 *   - replace what is no UTF-8, control characters, bidirectional overrides, invisible format characters and
 * non-characters by U+FFFD, and
 *   - turn newlines and tabs into a blank (github: newlines stay, encoded),
 * and then take the meaning from what has one in that sink:
 *   terminal   "::" and "##" are pulled apart, since a CI runner reads "::error::" and "##[...]" at the start of any
 * line as a command xml        & < > " ' as entities: for text and attribute values of XML, SVG and HTML (the page is
 * written as well-formed XML) markdown   ASCII punctuation as entities; "@", "#", "://" and "www." are followed by
 * U+200B, so that nobody is mentioned and nothing is linked;
 *              "::" is broken as for a terminal, since a summary may go to a job's log
 *   github     % CR LF : , percent-encoded: data and properties of a workflow command
 *   label      \ " as OpenMetrics label values
 * They add to out, and fail only with its maximum or memory.
 */
#ifndef VERIFIER_REPORT_ESCAPE_H
#define VERIFIER_REPORT_ESCAPE_H

#include "base/buf.h"

typedef bool escape_fn(struct buf *out, const char *text, size_t len, struct err *err);

escape_fn escape_terminal, escape_xml, escape_markdown, escape_github, escape_label;

#endif

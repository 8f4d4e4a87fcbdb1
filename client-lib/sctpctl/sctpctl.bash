# SPDX-License-Identifier: BSD-2-Clause
# Completion of sctpctl for bash. The candidates are sctpctl's own: it has the
# tables. Where it has none, bash completes file names.

_sctpctl()
{
	local line=${COMP_LINE:0:COMP_POINT} cur words

	# Not COMP_WORDS: bash cuts those at "=" and ":".
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=("")
	cur=${words[-1]}
	mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" --complete "${words[@]:1}" 2>/dev/null)
	[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=.] ]] && compopt -o nospace
	# bash replaces only what follows the last "=" of the word.
	if [[ $cur == *=* && $COMP_WORDBREAKS == *=* ]]; then
		COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*=}"}"}")
	fi
}

complete -o default -F _sctpctl sctpctl

import type { Shell } from "./shells.ts";

/** Each hands the words up to the cursor to `pulsar-ts-io complete` and offers what it answers; nothing is evaluated. */
export const completionScripts: Readonly<Record<Shell, string>> = {
  bash: `# completion of pulsar-ts-io for bash
_pulsar_ts_io() {
  local value word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    if [[ $value == ":files" ]]; then compopt -o default; return; fi
    # Bash takes --option=value for three words, and completes the last one alone.
    if [[ $word == "=" || $before == "=" ]]; then value="\${value#*=}"; fi
    COMPREPLY+=("$value")
  done < <("\${COMP_WORDS[0]/#\\~/$HOME}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _pulsar_ts_io pulsar-ts-io
`,
  zsh: `#compdef pulsar-ts-io
# completion of pulsar-ts-io for zsh
_pulsar_ts_io() {
  local -a answers
  answers=("\${(@f)$("\${words[1]/#\\~/$HOME}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $answers[1] == ":files" ]]; then
    [[ $PREFIX == --*=* ]] && compset -P '*='
    _files
    return
  fi
  answers=("\${(@)answers//:/\\\\:}")
  answers=("\${(@)answers/$'\\t'/:}")
  _describe pulsar-ts-io answers
}
compdef _pulsar_ts_io pulsar-ts-io
`,
  fish: `# completion of pulsar-ts-io for fish
function __pulsar_ts_io_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l answers ($words[1] complete -- $words[2..-1] $word 2>/dev/null)
    if test "$answers[1]" = ":files"
        __fish_complete_path $word
    else
        printf '%s\\n' $answers
    end
end
complete -c pulsar-ts-io -f -a '(__pulsar_ts_io_complete)'
`,
};

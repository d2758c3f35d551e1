import { type ComponentProps, memo, type ReactNode, useMemo, useRef } from 'react';
import Markdown from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { CopyButton } from '../platform/copy-button.tsx';
import { linkTarget, tellsTarget } from './link-target.ts';
import { markdownBlocks } from './markdown-blocks.ts';
import type { Citation } from './message.ts';
import { placeCitations } from './place-citations.ts';

type ReplyMarkdownProps = {
  markdown: string;
  citations: Citation[];
  onCitation: (number: number) => void;
};

/** A reply. Raw HTML is not rendered, pictures are not loaded, and a link says where it leads. */
export default function ReplyMarkdown({ markdown, citations, onCitation }: ReplyMarkdownProps) {
  const blocks = markdownBlocks(markdown);
  return (
    <div className="reply">
      {blocks.map(({ start, text }, position) => {
        const end = blocks[position + 1]?.start ?? Number.POSITIVE_INFINITY;
        // A mark at a block's first letter belongs to the words before it.
        const own = citations.filter(({ index }) => (index > start || position === 0) && index <= end);
        const marks = own.map(({ number, index }) => `${number}@${index}`).join(' ');
        return <Block key={start} text={text} start={start} marks={marks} onCitation={onCitation} />;
      })}
    </div>
  );
}

type BlockProps = { text: string; start: number; marks: string; onCitation: (number: number) => void };

const Block = memo(function Block({ text, start, marks, onCitation }: BlockProps) {
  const plugins = useMemo(() => {
    const citations = marks
      .split(' ')
      .filter(Boolean)
      .map((mark) => {
        const [number, index] = mark.split('@').map(Number);
        return { number: number!, index: index! };
      });
    return [remarkGfm, [placeCitations, { citations, start }]] satisfies ComponentProps<
      typeof Markdown
    >['remarkPlugins'];
  }, [marks, start]);
  const components = useMemo(
    () => ({
      a: ReplyLink,
      img: ({ src, alt }: ComponentProps<'img'>) => (
        <ReplyLink href={typeof src === 'string' ? src : undefined}>
          Picture: {alt || 'without a description'}
        </ReplyLink>
      ),
      input: ({ checked }: ComponentProps<'input'>) => (
        <input
          type="checkbox"
          aria-label={checked ? 'Done' : 'Open'}
          checked={checked ?? false}
          disabled
          className="mr-1.5 accent-pitch"
        />
      ),
      table: ({ children }: ComponentProps<'table'>) => (
        <Frame name="Table">
          <table>{children}</table>
        </Frame>
      ),
      pre: CodeBlock,
      data: ({ value }: ComponentProps<'data'>) => (
        <button
          type="button"
          aria-label={`Source ${value}`}
          onClick={() => onCitation(Number(value))}
          className="relative -top-1 mx-0.5 inline-flex h-[1.15rem] min-w-[1.15rem] items-center justify-center rounded-sm bg-sunken px-1 align-baseline text-[0.72rem] leading-none font-medium text-link tabular-nums after:absolute after:-inset-1 hover:bg-hover"
        >
          {value}
        </button>
      ),
    }),
    [onCitation],
  );
  return (
    <Markdown remarkPlugins={plugins} components={components}>
      {text}
    </Markdown>
  );
});

function ReplyLink({ href, children }: { href?: string | undefined; children?: ReactNode }) {
  const target = linkTarget(href);
  if (target === null) return <span>{children}</span>;
  const told = typeof children === 'string' && tellsTarget(children, target);
  return (
    <>
      <a href={href} target="_blank" rel="noopener noreferrer">
        {children}
      </a>
      {!told && <span className="text-small text-muted"> ({target})</span>}
    </>
  );
}

function CodeBlock({ children }: { children?: ReactNode }) {
  const pre = useRef<HTMLPreElement>(null);
  return (
    <div className="code-block">
      <Frame name="Code">
        <pre ref={pre}>{children}</pre>
      </Frame>
      <CopyButton
        name="Copy code"
        text={() => pre.current?.textContent.replace(/\n$/, '') ?? ''}
        className="m-1"
      />
    </div>
  );
}

/** What may be wider than the column scrolls in a frame of its own, from the keyboard too. */
function Frame({ name, children }: { name: 'Table' | 'Code'; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it, what overflows is out of the keyboard's reach.
    <figure aria-label={name} tabIndex={0} className={`${name.toLowerCase()}-frame`}>
      {children}
    </figure>
  );
}
